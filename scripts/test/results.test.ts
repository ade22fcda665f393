import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readReport, replaceResults, whatToRunAgain, type FileResults } from './results.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'results-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const test = (fullName: string, status: string, message?: string) => ({
  fullName,
  status,
  ancestorTitles: fullName.split(' ').slice(0, -1),
  failureMessages: message ? [message] : [],
})

async function read(testResults: unknown, code: number | null = 1): Promise<readonly FileResults[]> {
  const path = join(directory, 'report.json')
  await writeFile(path, JSON.stringify({ testResults }))
  return await readReport(path, { stage: 'units', code })
}

/** The last word of a name is the test's own. */
const result = (file: string, failed: readonly string[], passed: readonly string[] = [], skipped: readonly string[] = []): FileResults => ({
  file,
  passed,
  failed: failed.map((name) => ({ name, why: [], ...(name.includes(' ') ? { group: name.split(' ').slice(0, -1).join(' > ') } : {}) })),
  skipped,
  flaky: [],
})

describe('a report', () => {
  it('gives each file its passed, failed and skipped tests, and the first lines of an error without colours', async () => {
    const tests = [
      test('one', 'passed'),
      test('page jobs two', 'failed', '\u001B[31mno\u001B[39m\n\n  at line 1'),
      test('three', 'skipped'),
    ]
    expect(await read([{ name: '/a.test.ts', status: 'failed', assertionResults: tests }])).toEqual([
      {
        file: '/a.test.ts',
        passed: ['one'],
        failed: [{ name: 'page jobs two', why: ['no', '  at line 1'], group: 'page > jobs' }],
        skipped: ['three'],
        flaky: [],
      },
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

describe('tests that failed', () => {
  it('run again with their group, unless many files failed or the failure is in no file', () => {
    expect(whatToRunAgain([result('/a', ['page jobs (old) one', 'page two']), result('/b', [])])).toEqual([
      { file: '/a', names: String.raw`^(?:page > jobs > \(old\)|page) > ` },
    ])
    expect(whatToRunAgain(['/a', '/b', '/c', '/d'].map((file) => result(file, ['page one'])))).toEqual([])
    expect(whatToRunAgain([{ passed: [], failed: [{ name: 'no report', why: [] }], skipped: [], flaky: [] }])).toEqual([])
  })

  it('run again with their whole file where one is in no group, or where tests were skipped beside it', () => {
    expect(whatToRunAgain([result('/a', ['one', 'page two'])])).toEqual([{ file: '/a' }])
    expect(whatToRunAgain([result('/a', ['page two'], [], ['page three'])])).toEqual([{ file: '/a' }])
  })

  it('count with their second result, and those that did not fail again are reported as flaky', () => {
    const first = [result('/a', ['one', 'two'], ['three']), result('/b', [], ['seven'])]
    const second = result('/a', ['two', 'three'], ['one'])
    expect(replaceResults(first, [second])).toEqual([first[1], { ...second, flaky: [{ name: 'one', why: [] }] }])
  })

  it('count beside the first results of the groups that did not run again; one that did not run is still a failure', () => {
    const first = result('/a', ['page one', 'page two', 'page gone'], ['page three', 'looks four'])
    const again = result('/a', ['page two'], ['page one', 'page three'], ['looks four'])
    expect(replaceResults([first], [again])).toEqual([
      {
        ...result('/a', ['page gone', 'page two'], ['looks four', 'page one', 'page three']),
        flaky: [{ name: 'page one', why: [], group: 'page' }],
      },
    ])
  })
})
