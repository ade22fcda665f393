// Adds up vitest's JSON reports, file by file. A file that failed outside a test (an import, a hook) counts as one failure, and so does a stage
// without a report, so that no failure is missing from the sum.
import { readFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'

export interface Failure {
  readonly name: string
  /** The first lines of the error. */
  readonly why: readonly string[]
}

export interface FileResults {
  /** Absolute path; undefined for an error outside all files. */
  readonly file?: string
  readonly passed: number
  readonly failed: readonly Failure[]
  readonly skipped: readonly string[]
  /** Tests that failed next to others and passed when their file ran again, alone. They count as passed. */
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
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

/** More failed files than this are not chance. */
const MAX_FILES_AGAIN = 3
const LINES_SHOWN = 8

export function failureOfRun(name: string): FileResults {
  return { passed: 0, failed: [{ name, why: [] }], skipped: [], flaky: [] }
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

/** The failed files, to run them again; empty if so many failed that it is not chance. */
export function filesToRunAgain(results: readonly FileResults[]): readonly string[] {
  const failed = results.filter((result) => result.failed.length > 0).map(({ file }) => file)
  if (failed.length > MAX_FILES_AGAIN) return []
  return failed.filter((file) => file !== undefined)
}

/** The second results replace the first ones; a failure that did not occur again is flaky. */
export function replaceResults(first: readonly FileResults[], again: readonly FileResults[]): readonly FileResults[] {
  const kept = first.filter(({ file }) => file === undefined || again.every((result) => result.file !== file))
  const replaced = again.map((result) => {
    const before = first.find(({ file }) => file !== undefined && file === result.file)?.failed ?? []
    return { ...result, flaky: before.filter(({ name }) => result.failed.every((failure) => failure.name !== name)) }
  })
  return [...kept, ...replaced]
}

function toFileResults(file: Report['testResults'][number]): FileResults {
  const names = (status: string): readonly string[] =>
    file.assertionResults.filter((test) => test.status === status).map((test) => test.fullName)
  const failed = file.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({ name: test.fullName, why: firstLines(test.failureMessages?.[0]) }))
  const outside = { name: 'outside of its tests', why: firstLines(file.message) }
  return {
    file: file.name,
    passed: names('passed').length,
    failed: file.status === 'failed' && failed.length === 0 ? [outside] : failed,
    skipped: [...names('pending'), ...names('skipped'), ...names('todo')],
    flaky: [],
  }
}

function firstLines(message = ''): readonly string[] {
  return stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('/node_modules/') && line.trim() !== 'at new Promise (<anonymous>)')
    .slice(0, LINES_SHOWN)
}
