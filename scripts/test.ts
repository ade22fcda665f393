// `runyard test`: makes the machine ready, runs every test in stages, adds up. The last line is exactly `N passed, N failed, N skipped`;
// the exit code is non-zero where a test failed or none ran.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { failureOfRun, filesToRunAgain, readReport, replaceResults, type Failure, type FileResults } from './test/results.ts'
import { ensureDocker, installPackages, makeDebianPrograms, makeVenvs } from './test/setup.ts'
import { dieWithUs } from '../test/harness/child.ts'
import { makeWorkerImage } from './test/image.ts'

const ROOT = join(import.meta.dirname, '..')

/** In order of what they need; a stage is a set of folders. */
const STAGES = [
  { name: 'units, properties, store and engine', folders: ['packages', 'apps', 'scripts'] },
  { name: 'scenarios and SDKs on the process host', folders: ['test/process'] },
  { name: 'scenarios and SDKs on Docker', folders: ['test/docker'] },
] as const

const say = (line: string): void => {
  process.stdout.write(`▸ ${line}\n`)
}

const begun = Date.now()
const seconds = (): string => `${Math.round((Date.now() - begun) / 1000)} s`

// Ctrl-C reaches vitest by itself, which then cleans up; we end after it, and stop the dockerd that we started. Where the command that
// started us is killed, its channel closes.
let running: ChildProcess | undefined
let interrupted = false
process.on('SIGINT', () => {
  interrupted = true
})
const interrupt = (): void => {
  interrupted = true
  running?.kill('SIGINT')
}
process.on('SIGTERM', interrupt)
process.once('disconnect', interrupt)
process.channel?.unref()

const wanted = process.argv.slice(2)
const stopDocker = await prepare()
const reports = await mkdtemp(join(tmpdir(), 'runyard-reports-'))
const results: FileResults[] = []
try {
  for (const [index, stage] of STAGES.entries()) {
    const filters = filtersOf(stage.folders)
    if (filters.length === 0 || interrupted) continue
    say(`stage ${index + 1} of ${STAGES.length}: ${stage.name} (${seconds()})`)
    results.push(...(await runStage(stage.name, filters)))
  }
} finally {
  await stopDocker()
  await rm(reports, { recursive: true, force: true })
}
if (interrupted) results.push(failureOfRun('the run was interrupted'))
summarise()

async function prepare(): Promise<() => Promise<void>> {
  say('setting up what the tests need: Redis, Docker, Python environments with the real SDKs, the worker image')
  await installPackages(say)
  const stop = await ensureDocker(say)
  await Promise.all([makeVenvs(say), makeWorkerImage(say), makeDebianPrograms(say)])
  say(`ready (${seconds()})`)
  return stop
}

/** Absolute, since vitest looks for a filter anywhere in a file's path. With words given, only the folders that they name a part of. */
function filtersOf(folders: readonly string[]): readonly string[] {
  if (wanted.length === 0) return folders.map((folder) => join(ROOT, folder) + sep)
  return wanted.filter((path) => folders.some((folder) => path.startsWith(folder))).map((path) => join(ROOT, path))
}

/** What failed runs once more by itself: on shared processors a scenario can run out of time beside others. Both results are shown. */
async function runStage(stage: string, filters: readonly string[]): Promise<readonly FileResults[]> {
  const first = await runOnce(stage, filters)
  const files = filesToRunAgain(first)
  if (files.length === 0 || interrupted) return first
  say(`these failed and run again, one after the other: ${files.map((file) => relative(ROOT, file)).join(', ')}`)
  const again: FileResults[] = []
  for (const file of files) if (!interrupted) again.push(...(await runOnce(stage, [file])))
  return interrupted ? first : replaceResults(first, again)
}

async function runOnce(stage: string, filters: readonly string[]): Promise<readonly FileResults[]> {
  const report = join(await mkdtemp(join(reports, 'run-')), 'report.json')
  const code = await runVitest(filters, report)
  return await readReport(report, { stage, code })
}

/** Its exit code. */
async function runVitest(filters: readonly string[], report: string): Promise<number | null> {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`]
  const words = [vitest, 'run', '--passWithNoTests', ...reporters, ...filters]
  const child = spawn(...dieWithUs(process.execPath, words), { cwd: ROOT, stdio: 'inherit' })
  running = child
  return await new Promise((resolve) => {
    child.once('error', () => resolve(null))
    child.once('exit', resolve)
  })
}

function summarise(): void {
  process.stdout.write('\n')
  for (const { file, flaky } of results) for (const each of flaky) show('flaky (failed beside others, passed alone)', each, file)
  for (const { file, failed } of results) for (const each of failed) show('failed', each, file)
  const skipped = results.flatMap((result) => result.skipped)
  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`)
  say(`done in ${seconds()}`)
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed.length, 0)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
}

function show(word: string, { name, why }: Failure, file: string | undefined): void {
  const where = file === undefined ? '' : `${relative(ROOT, file)}: `
  process.stdout.write([`${word}: ${where}${name}`, ...why.map((line) => `    ${line}`), ''].join('\n'))
}
