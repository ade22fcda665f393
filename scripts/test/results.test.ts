import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesToRunAgain, readReport, replaceResults, type FileResults } from './results.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'results-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const test = (fullName: string, status: string, message?: string) => ({ fullName, status, failureMessages: message ? [message] : [] })

async function read(testResults: unknown, code: number | null = 1): Promise<readonly FileResults[]> {
  const path = join(directory, 'report.json')
  await writeFile(path, JSON.stringify({ testResults }))
  return await readReport(path, { stage: 'units', code })
}

const result = (file: string, failed: readonly string[], passed = 1): FileResults => ({
  file,
  passed,
  failed: failed.map((name) => ({ name, why: [] })),
  skipped: [],
  flaky: [],
})

describe('a report', () => {
  it('gives each file its passed, failed and skipped tests, and the first lines of an error without colours', async () => {
    const tests = [test('one', 'passed'), test('two', 'failed', '\u001B[31mno\u001B[39m\n\n  at line 1'), test('three', 'skipped')]
    expect(await read([{ name: '/a.test.ts', status: 'failed', assertionResults: tests }])).toEqual([
      { file: '/a.test.ts', passed: 1, failed: [{ name: 'two', why: ['no', '  at line 1'] }], skipped: ['three'], flaky: [] },
    ])
  })

  it('counts a file that failed outside its tests', async () => {
    const [found] = await read([{ name: '/a.test.ts', status: 'failed', message: 'cannot import', assertionResults: [] }])
    expect(found?.failed).toEqual([{ name: 'outside of its tests', why: ['cannot import'] }])
  })

  it('counts an error outside all files, and a run without a report', async () => {
    const passed = [{ name: '/a.test.ts', status: 'passed', assertionResults: [test('one', 'passed')] }]
    expect((await read(passed)).at(-1)?.failed[0]?.name).toBe('units: the test runner ended with 1 although no test failed')
    const [missing] = await readReport(join(directory, 'none.json'), { stage: 'units', code: null })
    expect(missing?.failed[0]?.name).toBe('units: the test runner ended without a report')
  })
})

describe('files that failed', () => {
  it('run again, unless many failed or the failure is in no file', () => {
    expect(filesToRunAgain([result('/a', ['one']), result('/b', [])])).toEqual(['/a'])
    expect(filesToRunAgain(['/a', '/b', '/c', '/d'].map((file) => result(file, ['one'])))).toEqual([])
    expect(filesToRunAgain([{ passed: 0, failed: [{ name: 'no report', why: [] }], skipped: [], flaky: [] }])).toEqual([])
  })

  it('count with their second result, and tests that did not fail again are reported as flaky', () => {
    const first = [result('/a', ['one', 'two'], 5), result('/b', [], 7)]
    expect(replaceResults(first, [result('/a', ['two', 'three'], 4)])).toEqual([
      first[1],
      { ...result('/a', ['two', 'three'], 4), flaky: [{ name: 'one', why: [] }] },
    ])
  })
})
