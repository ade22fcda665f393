// Two gateways on one Redis under random interleavings of everything that callers and workers do over HTTP, several at a time, through either
// of them: an ended job never changes, every accepted job ends, the counts add up. fast-check prints the seed and the shortest plan that fails.
import * as fc from 'fast-check'
import { toJson } from '@runyard/schema'
import { createSend, type Answer, type RequestOptions } from '@runyard/testing'
import { beforeAll, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from './testing/gateway.ts'
import { useGateways } from './testing/use-gateway.ts'

const startGateway = useGateways()
let gateways: readonly [TestGateway, TestGateway]

beforeAll(async () => {
  gateways = [await startGateway({}, { prefix: 'shared' }), await startGateway({}, { prefix: 'shared' })]
})

const kind = fc.constantFrom(
  ...(['submit', 'submit', 'take', 'take', 'take', 'done', 'done', 'doneTwice', 'fail'] as const),
  ...(['chunk', 'progress', 'ping', 'lose', 'kill', 'cancel', 'stream', 'status', 'purge', 'retry'] as const),
)
const step = fc.record({ kind, side: fc.constantFrom<0 | 1>(0, 1), pick: fc.nat(20) })
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface World {
  readonly ep: string
  /** In the order of acceptance; the first terminal answer that was seen. */
  readonly accepted: Map<string, Answer['json'] | undefined>
  /** Which worker was seen to have ended which job. */
  readonly endings: Set<string>
  retries: number
  readonly workers: Worker[]
  readonly faults: string[]
}

interface Worker extends Pick<TestWorker, 'id' | 'token'> {
  readonly holds: Set<string>
}

/** A poll that finds nothing is left by its client, which is how an undelivered job goes back. */
const POLL_MS = 40
const TERMINAL = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])

async function hire(world: World): Promise<void> {
  const { id, token } = await gateways[0].addWorker(world.ep)
  world.workers.push({ id, token, holds: new Set() })
}

function worksAt(worker: Worker, side: 0 | 1) {
  return createSend(gateways[side].workerPlaneUrl, { authorization: worker.token })
}

const nthOf = <T>(items: Iterable<T>, n: number): T | undefined => [...items][n % Math.max(1, [...items].length)]

type Play = (world: World, at: Step & { readonly worker: Worker; readonly job: string }) => Promise<unknown>

const post = (world: World, { worker, side, job }: Parameters<Play>[1], what: { route: string; body: unknown }): Promise<Answer> =>
  worksAt(worker, side)(`/v2/${world.ep}/${what.route}/${worker.id}/${nthOf(worker.holds, 0) ?? job}?gpu=x`, {
    method: 'POST',
    body: what.body,
  })

const done: Play = async (world, at) => {
  const held = nthOf(at.worker.holds, 0)
  await post(world, at, { route: 'job-done', body: { output: at.worker.id } })
  if (held !== undefined) at.worker.holds.delete(held)
}

const ask = (world: World, { side, job }: Parameters<Play>[1], operation: string, options: RequestOptions = { method: 'POST' }) =>
  gateways[side].call(`/v2/${world.ep}/${operation}/${job}`, options)

const PLAYS: Record<Step['kind'], Play> = {
  async submit(world, { side, pick }) {
    const { json } = await gateways[side].call(`/v2/${world.ep}/run`, {
      method: 'POST',
      body: { input: pick, policy: { lowPriority: pick % 3 === 0 } },
    })
    world.accepted.set(String(json['id']), undefined)
  },
  async take(world, { worker, side }) {
    const signal = AbortSignal.timeout(POLL_MS)
    const answer = await worksAt(worker, side)(`/v2/${world.ep}/job-take/${worker.id}?gpu=x`, { signal }).catch(() => undefined)
    if (answer?.status !== 200) return
    const id = String(answer.json['id'])
    worker.holds.add(id)
  },
  done,
  doneTwice: (world, at) => Promise.all([done(world, at), post(world, at, { route: 'job-done', body: { output: at.worker.id } })]),
  fail: (world, at) => post(world, at, { route: 'job-done', body: { error: 'by its handler' } }),
  chunk: (world, at) => post(world, at, { route: 'job-stream', body: { output: 1 } }),
  progress: (world, at) => post(world, at, { route: 'job-done', body: { status: 'IN_PROGRESS', output: 'half' } }),
  ping: (world, { worker, side }) => worksAt(worker, side)(`/v2/${world.ep}/ping/${worker.id}?gpu=x&job_id=${[...worker.holds].join(',')}`),
  async lose(_world, { worker }) {
    worker.holds.clear()
  },
  async kill(world, { worker }) {
    world.workers.splice(world.workers.indexOf(worker), 1)
    await gateways[0].store.workers.remove(world.ep, worker.id, undefined)
    await hire(world)
  },
  cancel: (world, at) => ask(world, at, 'cancel'),
  stream: (world, at) => ask(world, at, 'stream', { signal: AbortSignal.timeout(POLL_MS) }).catch(() => undefined),
  status: (world, at) => ask(world, at, 'status', {}),
  purge: (world, { side }) => gateways[side].call(`/v2/${world.ep}/purge-queue`, { method: 'POST' }),
  async retry(world, at) {
    // What was seen before is another life's.
    if ((await ask(world, at, 'retry')).status !== 200) return
    world.retries += 1
    world.accepted.set(at.job, undefined)
  },
}

function noteStatus({ accepted, faults }: World, id: string, body: Answer['json']): void {
  if (!TERMINAL.has(String(body['status']))) return
  const seen = accepted.get(id)
  if (seen === undefined) accepted.set(id, body)
  else if (JSON.stringify(seen) !== JSON.stringify(body)) faults.push(`${JSON.stringify(seen)} became ${JSON.stringify(body)}`)
}

async function play(world: World, at: Step): Promise<void> {
  const worker = nthOf(world.workers, at.pick)
  const job = nthOf(world.accepted.keys(), at.pick)
  if (worker === undefined || (job === undefined && at.kind !== 'submit' && at.kind !== 'take')) return
  await PLAYS[at.kind](world, { ...at, worker, job: job ?? '' })
}

/** As the scaler and a healthy worker would: leases of the dead and the forgetful are taken back, then everything is run. */
async function runWhatIsLeft(world: World): Promise<number> {
  const { jobs } = gateways[1].store
  for (const lease of await jobs.leases(world.ep)) await jobs.takeBack(lease, { budget: 2, evidence: 'swept' })
  for (let job = await jobs.take(world.ep, 'last'); job; job = await jobs.take(world.ep, 'last')) {
    await jobs.settle({ endpointId: world.ep, jobId: job.id, workerId: 'last', outcome: { status: 'COMPLETED', output: toJson('last') } })
  }
  const { waiting, inProgress } = await jobs.stats(world.ep)
  return waiting + inProgress
}

/** Between two batches, when nothing else happens. How many jobs are in each state. */
async function lookAtAll(world: World): Promise<ReadonlyMap<string, number>> {
  const statuses = new Map<string, number>()
  for (const id of world.accepted.keys()) {
    const { json } = await gateways[0].call(`/v2/${world.ep}/status/${id}`)
    const status = String(json['status'])
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    noteStatus(world, id, json)
    const by = String(json['output'])
    if (status === 'COMPLETED' && by !== 'last') world.endings.add(`${id} by ${by}`)
  }
  return statuses
}

/** Only who held a job may end it. Asked of the history, since a poll that its client gave up may have been answered all the same. */
async function strangers({ ep, endings }: World): Promise<readonly string[]> {
  const history = await gateways[0].store.events.list(ep, 1000)
  const starts = history.filter((event) => event.kind === 'job_started')
  const handed = new Set(starts.map(({ jobId, workerId }) => `${jobId} by ${workerId}`))
  return [...endings].filter((ending) => !handed.has(ending))
}

async function faultsAtTheEnd(world: World): Promise<readonly string[]> {
  const statuses = await lookAtAll(world)
  const { jobs } = await gateways[1].read<{ jobs: Record<string, number> }>(`/v2/${world.ep}/health`)
  const { inQueue, inProgress, completed, failed } = jobs
  const seen = { inQueue, inProgress, completed, failed }
  // A retried job had failed before, and was counted.
  const expected = {
    inQueue: 0,
    inProgress: 0,
    completed: statuses.get('COMPLETED') ?? 0,
    failed: (statuses.get('FAILED') ?? 0) + world.retries,
  }
  return JSON.stringify(seen) === JSON.stringify(expected)
    ? world.faults
    : [...world.faults, `${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`]
}

it('whatever callers and workers do at once, each job ends, and as it ended it stays', { timeout: 300_000 }, async () => {
  const plan = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 3, maxLength: 10, size: 'max' })
  await fc.assert(
    fc.asyncProperty(plan, async (batches) => {
      const { id: ep } = await gateways[0].addEndpoint()
      const world: World = { ep, accepted: new Map(), endings: new Set(), retries: 0, workers: [], faults: [] }
      for (let seats = 0; seats < 3; seats += 1) await hire(world)
      for (const batch of batches) {
        await Promise.all(batch.map((one) => play(world, one)))
        await lookAtAll(world)
      }
      // Once more where a poll that its client gave up was given a job only now.
      await expect.poll(() => runWhatIsLeft(world), { timeout: 30_000 }).toBe(0)
      expect(await faultsAtTheEnd(world)).toEqual([])
      // The history is written a moment later.
      await expect.poll(() => strangers(world), { timeout: 30_000 }).toEqual([])
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25) },
  )
})
