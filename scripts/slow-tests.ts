// Which test files cost most: `./runyard exec node scripts/slow-tests.ts [PATH…]` runs them (set up by `./runyard test` before) and prints the
// processor time of each with all processes that it started, its time on the clock and its number of tests. Linux, as root.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { countFor, leaveTimeGroups, makeTimeGroups, takeTimes, TIME_GROUPS } from '../test/harness/processor-time.ts'

const ROOT = join(import.meta.dirname, '..')
const SHOWN = 40

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly unknown[]
  }[]
}

const directory = mkdtempSync(join(tmpdir(), 'runyard-slow-'))
const output = join(directory, 'report.json')
// Absolute, because vitest matches a filter anywhere in a file's path.
const filters = process.argv.slice(2).map((path) => resolve(ROOT, path))
const groups = makeTimeGroups(`runyard-tests-${process.pid}`)
// Vitest itself reads and transforms the sources.
countFor(groups, 'vitest')
const words = [
  join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${output}`,
]
const run = spawnSync(process.execPath, [...words, ...filters], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, [TIME_GROUPS]: groups },
})
const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Report
leaveTimeGroups(groups)
const { times, leaky } = takeTimes(groups)
const rows = testResults
  .map(({ name, startTime, endTime, assertionResults }) => ({
    file: relative(ROOT, name),
    cpu: (times.get(relative(ROOT, name)) ?? 0) / 1000,
    wall: (endTime - startTime) / 1000,
    tests: assertionResults.length,
  }))
  .toSorted((one, other) => other.cpu - one.cpu)
const ofVitest = (times.get('vitest') ?? 0) / 1000
const total = rows.reduce((sum, { cpu }) => sum + cpu, ofVitest)
process.stdout.write(
  `\n${rows.length} files, ${total.toFixed(0)} s of processor time, ${ofVitest.toFixed(0)} s of them vitest\n  cpu s  wall s  tests  file\n`,
)
for (const { file, cpu, wall, tests } of rows.slice(0, SHOWN)) {
  process.stdout.write(`${cpu.toFixed(1).padStart(7)} ${wall.toFixed(1).padStart(7)} ${String(tests).padStart(6)}  ${file}\n`)
}
for (const file of leaky) process.stdout.write(`left processes behind: ${file}\n`)
rmSync(directory, { recursive: true })
process.exitCode = run.status ?? 1
