// A result that arrives twice, late, after a cancel or from a superseded attempt changes nothing and is logged once, with its reason; one
// whose write was answered too late is not taken for a second one (worker-api §5.2, worker-api §17.7).
import { RunyardError } from '@runyard/schema'
import { afterEach, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ lease: { durationS: 30 } }, (site) => {
  ;({ gateway, ep, worker } = site)
  vi.spyOn(gateway.log, 'info')
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Every line that was logged of this job's ends. */
const linesOf = (jobId: string): readonly unknown[] =>
  vi
    .mocked(gateway.log.info)
    .mock.calls.filter(([facts]) => (facts as { jobId?: string }).jobId === jobId)
    .map(([facts, text]) => ({ ...(facts as object), text }))
const cancel = (jobId: string) => gateway.call(`/v2/${ep}/cancel/${jobId}`, { method: 'POST' })
const loseJob = (jobId: string) =>
  gateway.store.jobs.takeBack({ endpointId: ep, jobId, workerId: worker.id }, { budget: 2, evidence: 'test' })

/** What happens to a job before its worker's result comes (again). */
const CASES: readonly { readonly when: string; readonly before: (jobId: string) => Promise<unknown>; readonly reason: string }[] = [
  { when: 'arrives twice', before: (id) => worker.done(id, { output: 'late' }), reason: 'result_repeated' },
  { when: 'comes after another one', before: (id) => worker.done(id, { error: 'no cheese' }), reason: 'job_ended' },
  { when: 'comes after a cancel', before: cancel, reason: 'job_ended' },
  {
    when: 'comes after its lease was lost and the job waits again',
    before: loseJob,
    reason: 'attempt_superseded',
  },
  {
    when: 'comes while another worker runs the job',
    async before(id) {
      await loseJob(id)
      expect((await (await gateway.addWorker(ep)).take())?.id).toBe(id)
    },
    reason: 'attempt_superseded',
  },
  {
    when: 'comes after another worker ended the job',
    async before(id) {
      await loseJob(id)
      const other = await gateway.addWorker(ep)
      await other.take()
      await other.done(id, { output: 'fresh' })
    },
    reason: 'attempt_superseded',
  },
  {
    when: 'comes after a purge of the queue to which its job had gone back',
    async before(id) {
      await loseJob(id)
      await gateway.call(`/v2/${ep}/purge-queue`, { method: 'POST' })
    },
    reason: 'job_ended',
  },
  {
    when: 'comes after the job’s time to live',
    before: () => gateway.store.jobs.sweepExpired(ep, Date.now() + 48 * 3600 * 1000),
    reason: 'job_unknown',
  },
]

it.each(CASES)('a result that $when changes nothing and is logged once: $reason', async ({ before, reason }) => {
  const id = await worker.startJob()
  await before(id)
  const then = await gateway.statusOf(ep, id)
  const logged = linesOf(id).length
  expect((await worker.done(id, { output: 'late' })).status).toBe(200)
  expect(await gateway.statusOf(ep, id)).toEqual(then)
  const line = { endpointId: ep, endpoint: ep, jobId: id, workerId: worker.id, posted: 'COMPLETED', reason, text: 'result ignored' }
  expect(linesOf(id).slice(logged)).toEqual([expect.objectContaining(line)])
})

it('a result for a job that never was is answered 200 and logged once', async () => {
  expect((await worker.done('nobodys-u1', { output: 1 })).status).toBe(200)
  expect(linesOf('nobodys-u1')).toEqual([expect.objectContaining({ reason: 'job_unknown', text: 'result ignored' })])
})

it('a result whose write was answered too late ends its job once, in log, history and measures', async () => {
  const id = await worker.startJob()
  const { jobs } = gateway.store
  const settle = jobs.settle.bind(jobs)
  vi.spyOn(jobs, 'settle').mockImplementationOnce(async (...end) => {
    expect(await settle(...end)).toBe('settled')
    throw new RunyardError('store_unavailable', 'the answer was lost')
  })
  expect((await worker.done(id, { output: 1 })).status).toBe(200)
  expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 1 })
  expect(linesOf(id)).toEqual([expect.objectContaining({ status: 'COMPLETED', text: 'job settled' })])
  const ends = async (): Promise<readonly unknown[]> =>
    (await gateway.store.events.list(ep, 50)).filter(({ jobId, kind }) => jobId === id && kind === 'job_settled')
  await expect.poll(ends).toHaveLength(1)
})

it('progress and chunks of a superseded attempt change nothing', async () => {
  const id = await worker.startJob()
  await loseJob(id)
  const other = await gateway.addWorker(ep)
  expect((await other.take())?.id).toBe(id)
  const stream = `/v2/${ep}/job-stream/${worker.id}/${id}?isStream=false`
  await worker.send(stream, { method: 'POST', body: { output: 'stale' } })
  await worker.done(id, { status: 'IN_PROGRESS', output: 'stale' })
  expect(await gateway.statusOf(ep, id)).not.toHaveProperty('output')
  await other.done(id, { output: 'fresh' })
  expect(await gateway.statusOf(ep, id)).toMatchObject({ output: 'fresh', retries: 1, workerId: other.id })
  expect((await gateway.call(`/v2/${ep}/stream/${id}`)).json).toMatchObject({ stream: [] })
})
