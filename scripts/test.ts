// `runyard test`: makes the machine ready, runs every test in stages, adds up. The last line is exactly `N passed, N failed, N skipped`;
// the exit code is non-zero where a test failed or none ran.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { addResults, NO_RESULTS, readReport, type Results } from './test/results.ts'
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
let total: Results = NO_RESULTS
try {
  for (const [index, stage] of STAGES.entries()) {
    const filters = filtersOf(stage.folders)
    if (filters.length === 0 || interrupted) continue
    say(`stage ${index + 1} of ${STAGES.length}: ${stage.name} (${seconds()})`)
    const report = join(reports, `${index}.json`)
    const code = await runVitest(filters, report)
    total = addResults(total, await readReport(report, { stage: stage.name, code }))
  }
} finally {
  await stopDocker()
  await rm(reports, { recursive: true, force: true })
}
if (interrupted) total = addResults(total, { ...NO_RESULTS, failed: ['the run was interrupted'] })
summarise(total)

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

function summarise(results: Results): void {
  process.stdout.write('\n')
  for (const name of results.failed) process.stdout.write(`failed: ${name}\n`)
  for (const name of results.skipped) process.stdout.write(`skipped: ${name}\n`)
  say(`done in ${seconds()}`)
  const ran = results.passed + results.failed.length
  process.exitCode = results.failed.length > 0 || ran === 0 ? 1 : 0
  process.stdout.write(`${results.passed} passed, ${results.failed.length} failed, ${results.skipped.length} skipped\n`)
}
