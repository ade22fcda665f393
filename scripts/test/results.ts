// Adds up what vitest's JSON reports say. A file that failed outside a test (an import, a hook) counts as one failure, and a stage
// without a report counts as one too: nothing can vanish from the sum.
import { readFile } from 'node:fs/promises'

export interface Results {
  readonly passed: number
  readonly failed: readonly string[]
  readonly skipped: readonly string[]
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export const NO_RESULTS: Results = { passed: 0, failed: [], skipped: [] }

export function addResults(left: Results, right: Results): Results {
  return {
    passed: left.passed + right.passed,
    failed: [...left.failed, ...right.failed],
    skipped: [...left.skipped, ...right.skipped],
  }
}

/** `code` is the runner's exit code: one that is not 0 without a failed test means an error outside of every test, which counts too. */
export async function readReport(path: string, { stage, code }: { stage: string; code: number | null }): Promise<Results> {
  let report: Report
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as Report
  } catch {
    return { ...NO_RESULTS, failed: [`${stage}: the test runner ended without a report`] }
  }
  const results = report.testResults.map((file) => fileResults(file)).reduce(addResults, NO_RESULTS)
  if (code === 0 || results.failed.length > 0) return results
  return { ...results, failed: [`${stage}: the test runner ended with ${code} although no test failed`] }
}

function fileResults(file: Report['testResults'][number]): Results {
  const names = (status: string): readonly string[] =>
    file.assertionResults.filter((test) => test.status === status).map((test) => test.fullName)
  const failed = names('failed')
  const outside = file.status === 'failed' && failed.length === 0 ? [`${file.name}: ${(file.message ?? '').split('\n')[0]}`] : []
  return {
    passed: names('passed').length,
    failed: [...failed, ...outside],
    skipped: [...names('pending'), ...names('skipped'), ...names('todo')],
  }
}
