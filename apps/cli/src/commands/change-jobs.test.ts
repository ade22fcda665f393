// Sending and changing jobs, against a gateway of fixed answers; with a real one in `test/process/endpoints.test.ts`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommandLine } from '../command-line.ts'
import { openFakeGateway, type FakeGateway } from '../testing/fake-gateway.ts'
import { recorder } from '../testing/recorder.ts'
import { SMALL_POOL } from '../testing/small-pool.ts'

const UPSCALE = 'a1b2c3d4e5f6g7'
const FAILED = '1fc94455-6c1e-4b6a-9d2c-7f2a1f0e6d11-u1'

let gateway: FakeGateway
let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'runyard-cli-'))
  gateway = await openFakeGateway({
    ...SMALL_POOL,
    'POST /runyard/v1/jobs/bulk': ({ body }: { body: string }) => {
      const { dryRun } = JSON.parse(body) as { dryRun: boolean }
      return {
        matched: 12,
        done: dryRun ? 0 : 11,
        refused: dryRun ? [] : [{ why: 'the job had ended already', jobs: 1 }],
        sample: [],
        isMore: false,
      }
    },
    [`POST /v2/k2j4h5g6f7d8s9/retry/${FAILED}`]: { id: FAILED, status: 'IN_QUEUE' },
    [`POST /v2/${UPSCALE}/purge-queue`]: { removed: 1, status: 'completed' },
    [`DELETE /v2/serverless/${UPSCALE}`]: {},
    [`POST /v2/${UPSCALE}/run`]: ({ body }: { body: string }) => ({
      id: `j-${(JSON.parse(body) as { input: { n?: number } }).input.n ?? 0}`,
      status: 'IN_QUEUE',
    }),
    [`/v2/${UPSCALE}/status-sync/j-0`]: { id: 'j-0', status: 'COMPLETED', output: { pixels: 4 } },
    [`/v2/${UPSCALE}/status-sync/j-1`]: { id: 'j-1', status: 'COMPLETED', output: 1 },
    [`/v2/${UPSCALE}/status-sync/j-2`]: { id: 'j-2', status: 'FAILED', error: 'ValueError: two\n  line 3' },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true })
})
beforeEach(() => {
  gateway.requests.length = 0
})

async function runyard(words: readonly string[], answer?: string) {
  const [out, err] = [recorder(), recorder()]
  const asked: string[] = []
  const ask = (question: string): Promise<string> => {
    asked.push(question)
    return Promise.resolve(answer ?? '')
  }
  const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'rp_key', HOME: cwd }
  const code = await runCommandLine(words, { env, cwd, out, err, ...(answer !== undefined && { ask }) })
  return { code, out: out.text(), err: err.text(), asked }
}

const sent = (): readonly string[] =>
  gateway.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)

describe('run', () => {
  it('prints the output alone, and what failed on stderr', async () => {
    expect(await runyard(['run', 'upscale'])).toMatchObject({ code: 0, out: '{\n  "pixels": 4\n}\n' })
    expect(JSON.parse(gateway.requests.find(({ path }) => path.endsWith('/run'))?.body ?? '')).toEqual({ input: {} })
    expect(await runyard(['run', 'upscale', '{"n":2}'])).toMatchObject({
      code: 1,
      out: '',
      err: 'FAILED  j-2\nValueError: two\n  line 3\n',
    })
    expect(await runyard(['run', 'upscale', '{"input":{"n":1}}', '--json'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"id": "j-1"'),
    })
    expect(await runyard(['run', 'upscale', '--async'])).toMatchObject({ code: 0, out: 'j-0\n' })
  })

  it('reads the input from a file, and a job from each line of one', async () => {
    await writeFile(join(cwd, 'one.json'), '{"n":1}')
    expect(await runyard(['run', 'upscale', `@${join(cwd, 'one.json')}`])).toMatchObject({ code: 0, out: '1\n' })
    await writeFile(join(cwd, 'all.jsonl'), '{"n":1}\n\n{"n":2}\n{"n":3}\n')
    const { code, out, err } = await runyard(['run', 'upscale', '--batch', join(cwd, 'all.jsonl')])
    const results = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number })
    expect(code).toBe(1)
    expect(results.toSorted((a, b) => a.line - b.line)).toMatchObject([
      { line: 1, status: 'COMPLETED', output: 1 },
      { line: 3, status: 'FAILED', error: 'ValueError: two\n  line 3' },
      { line: 4, status: 'FAILED', error: expect.stringContaining('j-3') },
    ])
    expect(err).toMatch(/3 of 3, 2 failed\n$/u)
  })

  it('cancels its job at Ctrl-C, and at its time limit', async () => {
    gateway.answers[`/v2/${UPSCALE}/status-sync/j-9`] = () => {
      process.emit('SIGINT')
      return { id: 'j-9', status: 'IN_PROGRESS' }
    }
    gateway.answers[`POST /v2/${UPSCALE}/cancel/j-9`] = { id: 'j-9', status: 'CANCELLED' }
    expect(await runyard(['run', 'upscale', '{"n":9}'])).toMatchObject({ code: 130, out: '', err: 'j-9 is cancelled\n' })
    expect(sent()).toEqual([`POST /v2/${UPSCALE}/run`, `POST /v2/${UPSCALE}/cancel/j-9`])
    gateway.answers[`/v2/${UPSCALE}/status-sync/j-9`] = { id: 'j-9', status: 'IN_PROGRESS' }
    gateway.answers[`/v2/${UPSCALE}/status/j-9`] = { id: 'j-9', status: 'IN_PROGRESS', workerId: 'w1', output: 'step 3' }
    const late = await runyard(['run', 'upscale', '{"n":9}', '--timeout', '0.2'])
    expect(late).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^IN_PROGRESS {2}j-9 {2}on w1 {2}step 3\n[^]*j-9 is cancelled: it took longer than 0.2 s\n$/u),
    })
  })

  it.each([
    [['run'], 'name an endpoint'],
    [['run', 'upscale', '{x}'], 'the input is no JSON'],
    [['run', 'upscale', '--sync', '--stream'], '--sync and --stream exclude each other'],
    [['run', 'upscale', '{}', '--batch', 'x'], '--batch takes its inputs from the file'],
    [['retry'], 'name jobs by their ids, or which'],
    [['cancel', 'x', '--all'], 'name jobs, or a filter, but not both'],
  ])('refuses %j', async (words, sentence) => {
    expect(await runyard(words)).toMatchObject({ code: 2, err: expect.stringContaining(sentence) })
    expect(sent()).toEqual([])
  })
})

describe('cancel, retry and purge', () => {
  it('take jobs by the beginning of their ids', async () => {
    const { code, out, err } = await runyard(['retry', '1fc9'])
    expect({ code, out }).toEqual({ code: 0, out: `${FAILED} of live-caption-of-every-picture-in-the-archive is queued again\n` })
    expect(err).toBe(`${FAILED} of live-caption-of-every-picture-in-the-archive\n`)
    expect(sent()).toEqual([`POST /v2/k2j4h5g6f7d8s9/retry/${FAILED}`])
    expect(await runyard(['cancel', 'zzz'])).toMatchObject({
      code: 1,
      err: 'runyard: there is no job "zzz"; `runyard jobs` shows what there is.\n',
    })
  })

  it('count what matches, ask, and say what was refused', async () => {
    expect(await runyard(['cancel', '--endpoint', 'upscale', '--dry-run'])).toMatchObject({
      code: 0,
      out: 'this would cancel 12 jobs of upscale\n',
    })
    expect(await runyard(['cancel', '--all'])).toMatchObject({
      code: 2,
      err: 'runyard: this cancels 12 jobs; --yes does it without a question.\n',
    })
    expect(await runyard(['cancel', '--all'], 'n')).toMatchObject({ code: 1, out: '', asked: ['this cancels 12 jobs. Go on? [y/N] '] })
    gateway.requests.length = 0
    expect(await runyard(['cancel', '--all'], 'y')).toMatchObject({
      code: 1,
      out: '11 jobs cancelled\n',
      err: '1 job not: the job had ended already\n',
    })
    const bodies = gateway.requests.map(({ body }) => (body === '' ? {} : (JSON.parse(body) as object)))
    expect(bodies).toMatchObject([
      { action: 'cancel', dryRun: true },
      { action: 'cancel', dryRun: false },
    ])
  })

  it('purge the queue of the endpoint of that whole name', async () => {
    expect(await runyard(['purge', 'upscale', '--dry-run'])).toMatchObject({
      code: 0,
      out: 'this would cancel 1 job that waits on upscale\n',
    })
    expect(await runyard(['purge', 'upsc', '--yes'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no endpoint "upsc"'),
    })
    expect(sent()).toEqual([])
    expect(await runyard(['purge', 'upscale', '--yes'])).toMatchObject({ code: 0, out: '1 job cancelled\n' })
  })
})

it('endpoints delete asks when jobs run or wait', async () => {
  expect(await runyard(['rm', 'upscale'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('upscale has jobs that would be cancelled (1 waiting)'),
  })
  expect(await runyard(['rm', 'upscale'], 'no')).toMatchObject({ code: 1 })
  expect(sent()).toEqual([])
  expect(await runyard(['rm', 'upscale'], 'yes')).toMatchObject({ code: 0, out: expect.stringContaining('is deleted') })
})
