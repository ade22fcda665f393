// `runyard test`: prepares the machine, runs every test in stages (`test/stages.ts`), and adds up the results. The last line is exactly
// `N passed, N failed, N skipped`; the exit code is non-zero if a test failed or none ran.
import { spawn, type ChildProcess } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ALL_NEEDS, needsOf, type Needs } from './test/needs.ts'
import { failureOfRun, readReport, replaceResults, whatToRunAgain, type Failure, type FileResults } from './test/results.ts'
import { STAGES, type Stage } from './test/stages.ts'
import { attempt, ensureDocker, installPackages, makeDebianPrograms, makeVenvs, makeWorkerImage } from './test/setup.ts'
import { ensureUv } from '../test/harness/venvs.ts'
import { dieWithUs } from '../test/harness/child.ts'

const ROOT = join(import.meta.dirname, '..')

const say = (line: string): void => {
  process.stdout.write(`▸ ${line}\n`)
}

const begun = Date.now()
const seconds = (): string => `${Math.round((Date.now() - begun) / 1000)} s`

// Ctrl-C also reaches vitest, which then cleans up; this process ends after it and stops the dockerd that it started. If the parent command is
// killed, its channel closes.
const running = new Set<ChildProcess>()
let interrupted = false
process.on('SIGINT', () => {
  interrupted = true
})
const interrupt = (): void => {
  interrupted = true
  for (const child of running) child.kill('SIGINT')
}
process.on('SIGTERM', interrupt)
process.once('disconnect', interrupt)
process.channel?.unref()

const { values, positionals } = parseArgs({ options: { name: { type: 'string', short: 't' } }, allowPositionals: true })
/** Of all test files. */
const FOLDERS = ['packages', 'apps', 'scripts', 'test']
const wanted = positionals.map((path) => relative(ROOT, join(ROOT, path)))
const needed = neededHere()
sayNeeds(needed)
await installPackages(say, needed)
// For the environments, and for the workers of units: pip takes ten times its processor time.
await attempt(say, 'uv', ensureUv)
const settingUp = setUp(needed)
const reports = await mkdtemp(join(tmpdir(), 'runyard-reports-'))
let results: readonly FileResults[] = []
try {
  const first = (await Promise.all([runRow('working'), runRow('waiting')])).flat()
  results = await runFailedAgain(first)
} finally {
  const stopDocker = await settingUp
  await stopDocker()
  await rm(reports, { recursive: true, force: true })
}
if (interrupted) results = [...results, failureOfRun('the run was interrupted')]
summarise()

/** All requirements, or those of the selected files. */
function neededHere(): Needs {
  if (wanted.length === 0) return ALL_NEEDS
  const paths = testFiles(wanted)
  return needsOf(paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })))
}

function sayNeeds(needs: Needs): void {
  const parts = [needs.docker && 'Docker, the worker image', needs.venvs.length > 0 && 'Python environments with the real SDKs']
  say(`setting up what the tests need: ${['Redis', ...parts].filter((part) => part !== false).join(', ')}`)
}

/** Resolves to what stops the dockerd that it started. */
async function setUp(needs: Needs): Promise<() => Promise<void>> {
  const stop = needs.docker ? await ensureDocker(say) : async (): Promise<void> => undefined
  const nothing = Promise.resolve()
  await Promise.all([
    makeVenvs(say, needs.venvs),
    needs.docker ? makeWorkerImage(say) : nothing,
    needs.debianPrograms ? makeDebianPrograms(say) : nothing,
  ])
  say(`ready (${seconds()})`)
  return stop
}

/** Stage after stage. */
async function runRow(row: Stage['row']): Promise<readonly FileResults[]> {
  const found: FileResults[] = []
  for (const stage of STAGES.filter((each) => each.row === row)) {
    const files = testFiles(wanted.length === 0 ? FOLDERS : wanted).filter((path) => stage.holds(path))
    if (files.length === 0 || interrupted) continue
    if (stage.needsSetup) await settingUp
    say(`${stage.name}: ${files.length} files (${seconds()})`)
    const busyShare = watchProcessors()
    found.push(...(await runOnce(stage, files, [...wantedNames(), ...(isWhole(stage, files) ? ['--coverage'] : [])])))
    say(`${stage.name}: done (${seconds()}); meanwhile the processors were ${busyShare()} busy`)
  }
  return found
}

/** Whether what its files reach is measured: some files or tests alone reach less. */
function isWhole({ isMeasured = false, holds }: Stage, files: readonly string[]): boolean {
  return isMeasured && values.name === undefined && files.length === testFiles(FOLDERS).filter((path) => holds(path)).length
}

/** The share of time since the call in which the processors worked; idle ones have room for one more place of a stage. */
function watchProcessors(): () => string {
  const sumOf = (names: readonly ('user' | 'nice' | 'sys' | 'irq' | 'idle')[]): number =>
    cpus().reduce((sum, { times }) => sum + names.reduce((all, name) => all + times[name], 0), 0)
  const look = () => ({ busy: sumOf(['user', 'nice', 'sys', 'irq']), idle: sumOf(['idle']) })
  const start = look()
  return () => {
    const now = look()
    const [busy, idle] = [now.busy - start.busy, now.idle - start.idle]
    return `${Math.round((100 * busy) / Math.max(1, busy + idle))} %`
  }
}

/** The test files of folders, and those whose path begins with another word. */
function testFiles(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const isFolder = statSync(join(ROOT, word), { throwIfNoEntry: false })?.isDirectory() === true
    const exclude = (name: string): boolean => name.includes('node_modules')
    return globSync(isFolder ? `${word}/**/*.test.ts` : `${word}*`, { cwd: ROOT, exclude }).filter((name) => name.endsWith('.test.ts'))
  })
}

/** Runs what failed once more, alone: on shared CPUs a scenario can time out next to others. Both results are shown. */
async function runFailedAgain(first: readonly FileResults[]): Promise<readonly FileResults[]> {
  const failed = whatToRunAgain(first).map(({ file, names }) => ({ file: relative(ROOT, file), names }))
  if (failed.length === 0 || interrupted) return first
  const words = failed.map(({ file, names }) => (names === undefined ? file : `${file} -t '${names}'`))
  say(`these failed and run again, one after the other: ${words.join(', ')} (${seconds()})`)
  const again: FileResults[] = []
  for (const { file, names } of failed)
    if (!interrupted) again.push(...(await runOnce({ name: file, places: 1 }, [file], wantedNames(names))))
  return interrupted ? first : replaceResults(first, again)
}

type Run = Pick<Stage, 'name' | 'places'>

/** The argument for vitest; default: the names that the caller gave. */
function wantedNames(names = values.name): readonly string[] {
  return names === undefined ? [] : ['-t', names]
}

async function runOnce({ name, places }: Run, files: readonly string[], more: readonly string[]): Promise<readonly FileResults[]> {
  const report = join(await mkdtemp(join(reports, 'run-')), 'report.json')
  // Absolute, because vitest matches a filter anywhere in a file's path.
  const code = await runVitest(report, [`--maxWorkers=${places}`, ...more, ...files.map((file) => join(ROOT, file))])
  return await readReport(report, { stage: name, code })
}

/** Its exit code. Its output passes through here, line by line: two of them write at the same time. */
async function runVitest(report: string, more: readonly string[]): Promise<number | null> {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`]
  const color = process.stdout.isTTY ? ['--color'] : []
  const words = [vitest, 'run', '--passWithNoTests', ...color, ...reporters, ...more]
  // Hundreds of processes load the same modules. V8 measures what it compiles itself.
  const cache = more.includes('--coverage') ? {} : { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'compiled') }
  const env = { ...process.env, ...cache }
  const child = spawn(...dieWithUs(process.execPath, words), { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const [from, to] of [[child.stdout, process.stdout] as const, [child.stderr, process.stderr] as const]) {
    createInterface({ input: from }).on('line', (line) => to.write(`${line}\n`))
  }
  running.add(child)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  running.delete(child)
  return code
}

function summarise(): void {
  process.stdout.write('\n')
  for (const { file, flaky } of results) for (const each of flaky) show('flaky (failed beside others, passed alone)', each, file)
  for (const { file, failed } of results) for (const each of failed) show('failed', each, file)
  // With a name given, tests that do not match it are not listed.
  const skipped = values.name === undefined ? results.flatMap((result) => result.skipped) : []
  if (results.length === 0) say(`no test file matches ${wanted.join(', ')}`)
  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`)
  say(`done in ${seconds()}`)
  const passed = results.reduce((sum, result) => sum + result.passed.length, 0)
  const failed = results.reduce((sum, result) => sum + result.failed.length, 0)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
}

function show(word: string, { name, why }: Failure, file: string | undefined): void {
  const where = file === undefined ? '' : `${relative(ROOT, file)}: `
  process.stdout.write([`${word}: ${where}${name}`, ...why.map((line) => `    ${line}`), ''].join('\n'))
}
