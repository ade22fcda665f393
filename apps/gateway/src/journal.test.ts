// What each end that a gateway makes leaves in the log, in the endpoint's history and in the metrics; and that the end of a job is recorded
// once, whichever of two calls came first (ADR 44).
import { afterEach, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from './testing/gateway.ts'
import { useGateway } from './testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ lease: { durationS: 30, budget: 0 }, limits: { streamBytes: 100 } }, (site) => {
  ;({ gateway, ep, worker } = site)
  vi.spyOn(gateway.log, 'info')
})
afterEach(() => {
  vi.restoreAllMocks()
})

const lines = (): readonly unknown[] =>
  vi
    .mocked(gateway.log.info)
    .mock.calls.filter(([, text]) => text === 'job settled' || text === 'jobs settled')
    .map(([facts]) => facts)
const endEvents = async (): Promise<readonly unknown[]> =>
  (await gateway.store.events.list(ep, 50)).filter(({ kind }) => kind === 'job_settled')
const remembered = async () => {
  const chunks = await gateway.store.history.jobs({ from: 0, to: Date.now(), count: 100 })
  return chunks.flatMap(({ jobs }) => jobs).filter(({ endpointId }) => endpointId === ep)
}
const statusOf = async (id: string): Promise<unknown> => (await gateway.statusOf(ep, id))['status']
const post = (path: string) => gateway.call(`/v2/${ep}/${path}`, { method: 'POST' })

/** The samples of this endpoint's ends, without their values. */
async function samples(): Promise<readonly string[]> {
  const { text } = await gateway.call('/metrics')
  return text
    .split('\n')
    .filter((line) => line.includes(ep) && !line.endsWith(' 0') && /^runyard_(job_end_causes_total|job_run_seconds_count)/.test(line))
    .map((line) => line.replace(`endpoint="${ep}",endpoint_id="${ep}"`, ''))
    .toSorted()
}

interface Case {
  readonly end: () => Promise<unknown>
  readonly cause: string
  readonly status: string
  /** More of the event. */
  readonly event?: object
  readonly reason?: unknown
}

const RUNNING: Record<string, Case> = {
  'its result': {
    end: async () => worker.done(await worker.startJob(), { output: 1 }),
    cause: 'result',
    status: 'COMPLETED',
  },
  'its failure': {
    end: async () => worker.done(await worker.startJob(), { error: 'no cheese' }),
    cause: 'result',
    status: 'FAILED',
    reason: 'no cheese',
  },
  'a cancel': {
    end: async () => post(`cancel/${await worker.startJob()}`),
    cause: 'cancelled',
    status: 'CANCELLED',
    reason: 'the job was cancelled by its caller',
    event: { message: 'the job was cancelled by its caller' },
  },
  'a stream beyond its limit': {
    async end() {
      const stream = `/v2/${ep}/job-stream/${worker.id}/${await worker.startJob()}?isStream=false`
      await worker.send(stream, { method: 'POST', body: { output: 'x'.repeat(200) } })
    },
    cause: 'stream_limit',
    status: 'FAILED',
    reason: expect.stringContaining('limits.streamBytes'),
    event: { message: expect.stringContaining('limits.streamBytes') },
  },
  'pings without it, its budget spent': {
    async end() {
      const id = await worker.startJob()
      const ping = async () => {
        await worker.ping()
        return statusOf(id)
      }
      await expect.poll(ping, { timeout: 20_000 }).toBe('FAILED')
    },
    cause: 'worker_lost',
    status: 'FAILED',
    reason: expect.stringContaining('the worker of the job was lost once'),
    event: { message: expect.stringContaining('sent no result') },
  },
}

it.each(Object.entries(RUNNING))('a running job that ends by %s', async (_, { end, cause, status, event = {}, reason }) => {
  await end()
  expect(lines()).toEqual([
    expect.objectContaining({ endpoint: ep, endpointId: ep, workerId: worker.id, jobId: expect.any(String), cause, status, reason }),
  ])
  await expect
    .poll(endEvents)
    .toEqual([
      { at: expect.any(Number), endpointId: ep, kind: 'job_settled', jobId: expect.any(String), workerId: worker.id, status, ...event },
    ])
  expect(await samples()).toEqual([
    `runyard_job_end_causes_total{,cause="${cause}",status="${status}"} 1`,
    'runyard_job_run_seconds_count{} 1',
  ])
  await expect
    .poll(remembered, { timeout: 10_000 })
    .toEqual([expect.objectContaining({ endpointId: ep, workerId: worker.id, cause, status, startedAt: expect.any(Number) })])
})

it('a job that never started counts without durations', async () => {
  await post(`cancel/${await gateway.submit(ep)}`)
  expect(lines()).toEqual([expect.objectContaining({ cause: 'cancelled', workerId: undefined, executionMs: 0 })])
  expect(await samples()).toEqual(['runyard_job_end_causes_total{,cause="cancelled",status="CANCELLED"} 1'])
})

it('a purge is one line and one event with the number of its jobs, and an empty one is none', async () => {
  for (let count = 0; count < 3; count += 1) await gateway.submit(ep)
  await post('purge-queue')
  await post('purge-queue')
  const message = 'the queue was purged'
  expect(lines()).toEqual([{ endpointId: ep, endpoint: ep, jobs: 3, status: 'CANCELLED', reason: message, cause: 'purged' }])
  await expect
    .poll(endEvents)
    .toEqual([{ at: expect.any(Number), endpointId: ep, kind: 'job_settled', status: 'CANCELLED', message: `${message}: 3 jobs` }])
  expect(await samples()).toEqual(['runyard_job_end_causes_total{,cause="purged",status="CANCELLED"} 3'])
  const each = expect.objectContaining({ status: 'CANCELLED', cause: 'purged' })
  await expect.poll(remembered).toEqual([each, each, each])
})

it('a result and cancels that race record one end', async () => {
  const id = await worker.startJob()
  await Promise.all([post(`cancel/${id}`), worker.done(id, { output: 1 }), post(`cancel/${id}`)])
  const [line] = lines() as { status: string }[]
  expect(lines()).toHaveLength(1)
  expect(line?.status).toBe(await statusOf(id))
  await expect.poll(endEvents).toHaveLength(1)
  expect((await samples()).filter((sample) => sample.startsWith('runyard_job_end_causes_total'))).toEqual([expect.stringMatching(/ 1$/)])
})

it('an end that the scaler recorded is in the metrics, counted once', async () => {
  const measure = {
    endpointId: ep,
    cause: 'execution_timeout',
    status: 'FAILED',
    jobs: 1,
    durations: { delayMs: 5, executionMs: 7 },
  } as const
  await gateway.store.measures.hand([measure])
  const expected = ['runyard_job_end_causes_total{,cause="execution_timeout",status="FAILED"} 1', 'runyard_job_run_seconds_count{} 1']
  expect(await samples()).toEqual(expected)
  expect(await samples()).toEqual(expected)
})
