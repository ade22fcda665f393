// What each end that the scaler makes or finds leaves in its log, in the endpoint's history and for the metrics (ADR 44).
import { createLogger } from '@runyard/kit'
import { toJson, type JobSubmission, type WorkerRecord } from '@runyard/schema'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }
const EP = 'ep-one'
const log = createLogger({ name: 'scaler-test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

beforeEach(async () => {
  vi.spyOn(log, 'info')
  await fixture.store.endpoints.upsert({ id: EP }, () => endpointOf(EP))
})
afterEach(() => void vi.restoreAllMocks())

const job = (id: string, policy: JobSubmission['policy'] = {}): JobSubmission => ({
  id,
  input: toJson({}),
  sync: false,
  policy,
  keyId: 'key',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
})
const lines = () =>
  vi
    .mocked(log.info)
    .mock.calls.map(([line, text]) => ({ ...(line as object), text }))
    .filter(({ text }) => text === 'job settled' || text === 'jobs settled')
const endEvents = async () => (await fixture.store.events.list(EP, 100)).filter(({ kind }) => kind === 'job_settled')

async function runningJob(policy: JobSubmission['policy'] = {}): Promise<WorkerRecord> {
  await fixture.store.jobs.submit(EP, job('j1', policy))
  return vi.waitFor(async () => {
    const [worker] = await fixture.store.workers.list(EP)
    if (worker?.containerStartedAt === undefined) throw new Error('no worker was started yet')
    await fixture.store.workers.patch({ endpointId: EP, workerId: worker.id, fields: { readyAt: Date.now(), lastSeenAt: Date.now() } })
    await fixture.store.jobs.take(EP, worker.id)
    return worker
  }, WAIT)
}

interface Case {
  readonly end: () => Promise<WorkerRecord>
  readonly cause: string
  readonly status: string
  /** In people's words. */
  readonly error: unknown
  /** For clients, where it differs. */
  readonly text?: unknown
  readonly reason?: string
}

const CASES: Record<string, Case> = {
  'its execution timeout': {
    end: () => runningJob({ executionTimeoutMs: 200 }),
    cause: 'execution_timeout',
    status: 'FAILED',
    error: 'executionTimeout exceeded',
    reason: 'execution_timeout',
  },
  'the loss of its worker, its budget spent': {
    async end() {
      const worker = await runningJob()
      fixture.host.die(worker.id, 137, { oomKilled: true })
      return worker
    },
    cause: 'worker_lost',
    status: 'FAILED',
    error: expect.stringMatching(/^the worker of the job was lost once: /),
    text: expect.stringMatching(/^job timed out after 0 retries: worker lost once: /),
    reason: 'out_of_memory',
  },
  'its ttl': {
    end: () => runningJob({ ttlMs: 1500 }),
    cause: 'ttl',
    status: 'TIMED_OUT',
    error: 'the ttl of the job elapsed before it ended',
  },
}

test.each(Object.entries(CASES))('a running job that ends by %s', async (_, { end, cause, status, error, text = error, reason }) => {
  await fixture.open({ config: { lease: { budget: 0 }, traces: { endpoint: 'http://127.0.0.1:1' } }, log })
  const { id: workerId } = await end()
  await vi.waitFor(async () => expect(await endEvents()).toHaveLength(1), WAIT)
  expect(lines()).toEqual([
    {
      text: 'job settled',
      endpointId: EP,
      endpoint: EP,
      jobId: 'j1',
      workerId,
      status,
      cause,
      reason: error,
      retries: 0,
      delayMs: expect.any(Number),
      executionMs: expect.any(Number),
    },
  ])
  expect(await endEvents()).toEqual([
    expect.objectContaining({ jobId: 'j1', workerId, status, message: error, ...(reason === undefined ? {} : { reason }) }),
  ])
  await vi.waitFor(async () => {
    const durations = { delayMs: expect.any(Number), executionMs: expect.any(Number) }
    expect(await fixture.store.measures.take()).toEqual([{ endpointId: EP, cause, status, jobs: 1, durations }])
  }, WAIT)
  const facts = { id: 'j1', status, workerId, retries: 0 }
  // What its caller sent goes with a job that its ttl deletes.
  const { traceparent } = job('j1')
  const known = cause === 'ttl' ? {} : { traceparent }
  await vi.waitFor(async () => {
    // The scaler sends no spans itself.
    expect(await fixture.store.tracedEnds.take()).toMatchObject([{ endpoint: { id: EP, name: EP }, end: { cause, job: facts }, ...known }])
  }, WAIT)
  const [chunk] = await fixture.store.history.failures({ from: 0, to: Date.now(), count: 10 })
  expect(chunk?.failures).toEqual([expect.objectContaining({ id: 'j1', endpointId: EP, workerId, status, cause, text })])
})

test('jobs that expired while no scaler ran are written by the next one, many as one entry', async () => {
  const { store } = fixture
  await Promise.all(Array.from({ length: 1100 }, (_, n) => store.jobs.submit(EP, job(`j${n}`, { ttlMs: 1 }))))
  await store.jobs.sweepExpired(EP, Date.now() + 1000)
  await fixture.open({ log })
  await vi.waitFor(async () => expect(await endEvents()).toHaveLength(2), WAIT)
  const entry = { text: 'jobs settled', endpointId: EP, endpoint: EP, status: 'TIMED_OUT', cause: 'ttl', reason: expect.any(String) }
  expect(lines()).toEqual([
    { ...entry, jobs: 1000 },
    { ...entry, jobs: 100 },
  ])
  await vi.waitFor(async () => expect((await store.measures.take()).map(({ jobs }) => jobs)).toEqual([1000, 100]), WAIT)
})

test('jobs that ended with their deleted endpoint have a line, and its history stays away', async () => {
  const { store } = fixture
  await store.endpoints.delete(EP)
  await store.jobs.submit(EP, job('late'))
  await store.jobs.submit(EP, job('expired', { ttlMs: 1 }))
  await store.jobs.sweepExpired(EP, Date.now() + 1000)
  await fixture.open({ log })
  await vi.waitFor(async () => expect(await store.endpoints.listDeleted()).toEqual([]), WAIT)
  await vi.waitFor(() => expect(lines().map((line) => 'cause' in line && line.cause)).toEqual(['ttl', 'endpoint_deleted']), WAIT)
  expect(await endEvents()).toEqual([])
})
