// Workers without Python for chaos tests: they take, stream, report and ping through any gateway, and count their runs. `drops` discards a
// result that could not be posted, as the SDK does (worker-api §5.2); otherwise it is posted until it is accepted, as our agent does. The pool
// also acts as the scaler: it replaces retired workers and takes back expired leases.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@runyard/store'
import type { Stack } from './stack.ts'
import { addWorker, openTestStore } from './store.ts'

export interface PoolOptions {
  readonly endpointId: string
  readonly count: number
  readonly leaseS: number
}

export interface ProtocolPool extends AsyncDisposable {
  /** How often each job ran to its end. */
  readonly runs: ReadonlyMap<string, number>
  /** Results that were lost, as an SDK loses them. */
  readonly dropped: () => number
}

interface Worker {
  readonly base: string
  readonly id: string
  readonly token: string
  readonly drops: boolean
  /** Workers with kept connections stay with one gateway; the requests of others go to any gateway. */
  readonly agent: Agent
  readonly holds: Set<string>
  /** Aborts when the worker has to leave. */
  readonly leave: AbortController
}

interface Pool {
  readonly stack: Stack
  readonly options: PoolOptions
  readonly store: Store
  readonly workers: Map<string, Worker>
  readonly runs: Map<string, number>
  readonly stop: AbortController
  readonly tasks: Promise<unknown>[]
  dropped: number
  born: number
}

const PING_EVERY_MS = 400
const LOOK_EVERY_MS = 300
/** The chunks of a streaming job. */
export const CHUNKS = ['one', 'two', 'three']

export async function openProtocolPool(stack: Stack, options: PoolOptions): Promise<ProtocolPool> {
  const store = await openTestStore(stack.redis.url, {
    leaseMs: options.leaseS * 1000,
    retention: { asyncMs: 600_000, syncMs: 600_000 },
  })
  const pool: Pool = {
    stack,
    options,
    store,
    workers: new Map(),
    runs: new Map(),
    stop: new AbortController(),
    tasks: [],
    dropped: 0,
    born: 0,
  }
  await tend(pool)
  pool.tasks.push(repeat(pool.stop.signal, LOOK_EVERY_MS, () => tend(pool)))
  return {
    runs: pool.runs,
    dropped: () => pool.dropped,
    async [Symbol.asyncDispose]() {
      pool.stop.abort()
      for (const { leave } of pool.workers.values()) leave.abort()
      await Promise.allSettled(pool.tasks)
      for (const { agent } of pool.workers.values()) agent.destroy()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** What the scaler would do: start workers, remove retired ones, take back leases. */
async function tend(pool: Pool): Promise<void> {
  const { store, options, workers } = pool
  const { endpointId } = options
  for (const record of await store.workers.list(endpointId)) {
    const worker = workers.get(record.id)
    if (worker === undefined || record.refreshRequested !== true || worker.holds.size > 0) continue
    await retire(pool, worker)
  }
  for (const lease of await store.jobs.leases(endpointId)) {
    const isOrphan = lease.workerId === undefined || !workers.has(lease.workerId)
    if (isOrphan) await store.jobs.takeBack(lease, { budget: 10, evidence: 'the lease ran out' })
  }
  while (workers.size < options.count) await hire(pool)
}

async function hire(pool: Pool): Promise<void> {
  const { store, options, stack } = pool
  const { endpointId } = options
  pool.born += 1
  const { id, token } = await addWorker(store, endpointId, { hostId: 'local' })
  const base = `${stack.planeUrl}/v2/${endpointId}`
  const worker: Worker = {
    base,
    id,
    token,
    drops: pool.born % 2 === 0,
    agent: new Agent({ keepAlive: pool.born % 3 !== 0 }),
    holds: new Set(),
    leave: new AbortController(),
  }
  pool.workers.set(id, worker)
  pool.tasks.push(
    work(pool, worker),
    repeat(worker.leave.signal, PING_EVERY_MS, () => ping(worker)),
  )
}

async function retire(pool: Pool, worker: Worker): Promise<void> {
  worker.leave.abort()
  worker.agent.destroy()
  pool.workers.delete(worker.id)
  await pool.store.workers.remove(pool.options.endpointId, worker.id, undefined)
}

/** Takes, runs and reports one job at a time. */
async function work(pool: Pool, worker: Worker): Promise<void> {
  const { signal } = worker.leave
  while (!signal.aborted) {
    const taken = await send(worker, { path: `/job-take/${worker.id}?gpu=none`, signal }).catch(() => ({ status: 0, text: '' }))
    let job = taken.status === 200 ? (JSON.parse(taken.text) as TakenBody) : undefined
    while (job !== undefined) job = await run(pool, worker, job)
    if (taken.status === 200) continue
    if (taken.status !== 204) await sleep(50, undefined, { signal }).catch(() => undefined)
  }
}

interface TakenBody {
  readonly id: string
  readonly input: { readonly value: number; readonly stream?: boolean }
}

/** Resolves to the job in the response to the result. */
async function run(pool: Pool, worker: Worker, { id, input }: TakenBody): Promise<TakenBody | undefined> {
  worker.holds.add(id)
  const { signal } = pool.stop
  for (let chunk = 0; input.stream === true && chunk < CHUNKS.length; chunk += 1) {
    await postUntilTaken(pool, worker, { path: `/job-stream/${worker.id}/${id}?gpu=none`, body: { output: CHUNKS[chunk] }, signal })
  }
  pool.runs.set(id, (pool.runs.get(id) ?? 0) + 1)
  const result = { path: `/job-done/${worker.id}/${id}?gpu=none`, body: { output: input.value }, signal }
  const next = worker.drops ? await postOnce(pool, worker, result) : await postUntilTaken(pool, worker, { ...result, wantsNext: true })
  if (next !== undefined) worker.holds.add(next.id)
  worker.holds.delete(id)
  return next
}

async function postOnce(pool: Pool, worker: Worker, message: Message): Promise<undefined> {
  const sent = await send(worker, message).catch(() => undefined)
  if (sent?.status !== 200) pool.dropped += 1
}

/** Only the first attempt may ask for the next job (ADR 28). */
async function postUntilTaken(pool: Pool, worker: Worker, message: Message): Promise<TakenBody | undefined> {
  for (let wantsNext = message.wantsNext === true; !pool.stop.signal.aborted; wantsNext = false) {
    const sent = await send(worker, { ...message, wantsNext }).catch(() => undefined)
    if (sent?.status === 200) return wantsNext ? jobIn(sent.text) : undefined
    await sleep(50)
  }
  return undefined
}

function jobIn(text: string): TakenBody | undefined {
  const body = JSON.parse(text) as Partial<TakenBody>
  return body.id === undefined ? undefined : (body as TakenBody)
}

async function ping(worker: Worker): Promise<void> {
  const ids = [...worker.holds].join(',')
  const { signal } = worker.leave
  await send(worker, { path: `/ping/${worker.id}?gpu=none${ids === '' ? '' : `&job_id=${encodeURIComponent(ids)}`}`, signal })
}

async function repeat(signal: AbortSignal, everyMs: number, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    // Redis or a gateway may be unavailable; the next round follows soon.
    await act().catch(() => undefined)
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

interface Message {
  readonly path: string
  readonly body?: unknown
  readonly signal: AbortSignal
  readonly wantsNext?: boolean
}

async function send({ base, token, agent }: Worker, { path, body, signal, wantsNext }: Message): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = { authorization: token, ...(wantsNext === true ? { 'x-runyard-next': '1' } : {}) }
  const options = { method: body === undefined ? 'GET' : 'POST', headers, agent, signal, timeout: 30_000 }
  const sent = request(base + path, options, (response) => {
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    response.once('end', () => resolve({ status: response.statusCode ?? 0, text })).once('error', reject)
  })
  sent.once('error', reject).once('timeout', () => sent.destroy(new Error('no answer')))
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return await promise
}
