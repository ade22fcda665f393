import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@runyard/client'
import { afterEach, expect, it, vi } from 'vitest'
import { followChanges, type ChangeTimes } from './changes.ts'
import { runCommandLine } from './command-line.ts'
import { openFakeGateway } from './testing/fake-gateway.ts'
import { recorder } from './testing/recorder.ts'
import { createScreen } from './testing/screen.ts'

const NEVER = 1_000_000
const PATIENT: ChangeTimes = { atLeastMs: 0, pollMs: NEVER, renewMs: NEVER }
let over = new AbortController()
afterEach(() => {
  over.abort()
  over = new AbortController()
})

/** One whose streams send what is given, and then end with it. */
function clientOf(follow: (topics: readonly string[]) => AsyncGenerator<{ topic: string }>) {
  const client = createClient({ url: 'http://nowhere', key: 'k' })
  return {
    ...client,
    listEndpoints: () => Promise.resolve([{ id: 'ep1' }] as unknown as Awaited<ReturnType<typeof client.listEndpoints>>),
    history: { ...client.history, followLive: follow },
  }
}

it('a change that the gateway sends is seen without a clock', async () => {
  const heard: string[] = []
  const changed = Promise.withResolvers<void>()
  const client = clientOf(async function* (topics) {
    heard.push(...topics)
    yield { topic: 'pool' }
    await changed.promise
    yield { topic: 'endpoint:ep1' }
    await sleep(NEVER, undefined, { signal: over.signal })
  })
  const changes = followChanges(client, PATIENT, over.signal)
  await changes.next()
  expect(heard).toEqual(['pool', 'endpoint:ep1'])
  const second = changes.next()
  changed.resolve()
  await second
})

it('without a stream a clock takes its place, and the end of the signal ends a wait', async () => {
  const client = clientOf(() => {
    throw new Error('there is no such route')
  })
  await expect(followChanges(client, { ...PATIENT, pollMs: 1 }, over.signal).next()).resolves.toBeUndefined()
  const waiting = followChanges(client, PATIENT, over.signal).next()
  over.abort()
  await expect(waiting).resolves.toBeUndefined()
})

const ROW = { endpoint: { id: 'ep1', name: 'one' }, submittedAt: 0, retries: 0 }
const [FIRST, SECOND] = [
  { ...ROW, id: 'job-1', status: 'IN_QUEUE' },
  { ...ROW, id: 'job-2', status: 'IN_QUEUE' },
]

it('a list that is watched is drawn over itself on a terminal, and elsewhere prints what changed', async () => {
  await using gateway = await openFakeGateway({ '/v2/serverless': { endpoints: [] } })
  const answer = (...jobs: readonly object[]): void => {
    gateway.answers['/runyard/v1/jobs'] = { jobs, nextCursor: null }
  }
  const [terminal, pipe] = [recorder(80), recorder()]
  const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'rp_key', HOME: '/nowhere' }
  answer(FIRST)
  const watching = [
    runCommandLine(['jobs', '--watch'], { env, cwd: '/', out: terminal, err: terminal }),
    runCommandLine(['jobs', '--watch', '--json'], { env, cwd: '/', out: pipe, err: pipe }),
  ]
  try {
    for (const out of [terminal, pipe]) await vi.waitFor(() => expect(out.text()).toContain('job-1'))
    answer(SECOND, { ...FIRST, status: 'COMPLETED' })
    for (const out of [terminal, pipe]) await vi.waitFor(() => expect(out.text()).toContain('job-2'), { timeout: 20_000 })
  } finally {
    process.emit('SIGHUP')
  }
  expect(await Promise.all(watching)).toEqual([0, 0])
  const screen = createScreen(80)
  screen.write(terminal.text())
  expect(screen.rows().filter((row) => row !== '')).toEqual([
    expect.stringMatching(/^job +endpoint/u),
    expect.stringMatching(/^job-2 .*IN_QUEUE/u),
    expect.stringMatching(/^job-1 .*COMPLETED/u),
  ])
  const lines = pipe.text().trim().split('\n')
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([FIRST, SECOND, { ...FIRST, status: 'COMPLETED' }])
  expect(gateway.requests.map(({ path }) => path)).toContain('/runyard/v1/live')
})

it('a list of more jobs than one answer has is read page by page', async () => {
  const job = (at: number) => ({ ...ROW, id: `job-${at}`, status: 'COMPLETED' })
  await using gateway = await openFakeGateway({
    '/runyard/v1/jobs': ({ query }: { query: URLSearchParams }) => {
      const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit'))]
      return {
        jobs: Array.from({ length: Math.min(limit, 900 - from) }, (_, index) => job(from + index)),
        nextCursor: from + limit < 900 ? `${from + limit}` : null,
      }
    },
  })
  const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'rp_key', HOME: '/nowhere' }
  const out = recorder()
  await runCommandLine(['jobs', '--limit', '700', '--json'], { env, cwd: '/', out, err: out })
  expect((JSON.parse(out.text()) as { id: string }[]).map(({ id }) => id)).toEqual(Array.from({ length: 700 }, (_, at) => `job-${at}`))
  expect(gateway.requests).toHaveLength(2)
})
