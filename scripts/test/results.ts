// Adds up vitest's JSON reports, file by file. A file that failed outside a test (an import, a hook) counts as one failure, and so does a stage
// without a report, so that no failure is missing from the sum.
import { readFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'

export interface Failure {
  readonly name: string
  /** The first lines of the error. */
  readonly why: readonly string[]
  /** The innermost `describe` with all around it, as vitest's patterns see them (`page > jobs`); absent where the failure is in none. */
  readonly group?: string
}

export interface FileResults {
  /** Absolute path; undefined for an error outside all files. */
  readonly file?: string
  readonly passed: readonly string[]
  readonly failed: readonly Failure[]
  readonly skipped: readonly string[]
  /** Tests that failed next to others and passed when they ran again, alone. They count as passed. */
  readonly flaky: readonly Failure[]
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly ancestorTitles: readonly string[]
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

/** More failed files than this are not chance. */
const MAX_FILES_AGAIN = 3
const LINES_SHOWN = 8

export function failureOfRun(name: string): FileResults {
  return { passed: [], failed: [{ name, why: [] }], skipped: [], flaky: [] }
}

/** `code` is the runner's exit code. Non-zero without a failed test means an error outside all tests, which counts as a failure. */
export async function readReport(path: string, { stage, code }: { stage: string; code: number | null }): Promise<readonly FileResults[]> {
  let report: Report
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as Report
  } catch {
    return [failureOfRun(`${stage}: the test runner ended without a report`)]
  }
  const results = report.testResults.map((file) => toFileResults(file))
  if (code === 0 || results.some(({ failed }) => failed.length > 0)) return results
  return [...results, failureOfRun(`${stage}: the test runner ended with ${code} although no test failed`)]
}

export interface Again {
  readonly file: string
  /** The pattern of names of the groups that failed; absent: all of its tests. */
  readonly names?: string
}

/** What failed, to run it again; empty if so many files failed that it is not chance. */
export function whatToRunAgain(results: readonly FileResults[]): readonly Again[] {
  const failed = results.filter((result) => result.failed.length > 0)
  if (failed.length > MAX_FILES_AGAIN) return []
  return failed.flatMap((result) => (result.file === undefined ? [] : [againOf(result, result.file)]))
}

/** Whole groups, since a test may build on those before it. Tests that were skipped beside a failure may have lost their set-up. */
function againOf({ failed, skipped }: FileResults, file: string): Again {
  const groups = new Set(failed.map(({ group }) => group))
  if (skipped.length > 0 || groups.has(undefined)) return { file }
  return { file, names: `^(?:${[...groups].map((group = '') => group.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`)).join('|')}) > ` }
}

/** Each test counts as it ended last; a failure that did not occur again is flaky. */
export function replaceResults(first: readonly FileResults[], again: readonly FileResults[]): readonly FileResults[] {
  const kept = first.filter(({ file }) => file === undefined || again.every((result) => result.file !== file))
  return [
    ...kept,
    ...again.map((result) =>
      replaceResult(
        first.find(({ file }) => file !== undefined && file === result.file),
        result,
      ),
    ),
  ]
}

function replaceResult(before: FileResults | undefined, again: FileResults): FileResults {
  if (before?.file === undefined) return again
  const flaky = before.failed.filter(({ name }) => again.failed.every((failure) => failure.name !== name))
  if (againOf(before, before.file).names === undefined) return { ...again, flaky }
  const ran = new Set([...again.passed, ...again.failed.map(({ name }) => name)])
  return {
    file: before.file,
    passed: [...before.passed.filter((name) => !ran.has(name)), ...again.passed],
    failed: [...before.failed.filter(({ name }) => !ran.has(name)), ...again.failed],
    // Those of other groups did not run now.
    skipped: before.skipped,
    flaky: flaky.filter(({ name }) => ran.has(name)),
  }
}

function toFileResults(file: Report['testResults'][number]): FileResults {
  const names = (status: string): readonly string[] =>
    file.assertionResults.filter((test) => test.status === status).map((test) => test.fullName)
  const failed = file.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({ name: test.fullName, why: firstLines(test.failureMessages?.[0]), ...groupOf(test.ancestorTitles) }))
  const outside = { name: 'outside of its tests', why: firstLines(file.message) }
  return {
    file: file.name,
    passed: names('passed'),
    failed: file.status === 'failed' && failed.length === 0 ? [outside] : failed,
    skipped: [...names('pending'), ...names('skipped'), ...names('todo')],
    flaky: [],
  }
}

const groupOf = (titles: readonly string[]): Pick<Failure, 'group'> => (titles.length === 0 ? {} : { group: titles.join(' > ') })

function firstLines(message = ''): readonly string[] {
  return stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('/node_modules/') && line.trim() !== 'at new Promise (<anonymous>)')
    .slice(0, LINES_SHOWN)
}
