// Workers without Python: they speak the worker protocol (worker-api §4, §5, §8) over plain sockets and return results at once, so that they
// cost little compared to what they measure: the capacity of queue, gateway and Redis. The scaler is stopped meanwhile, because these workers are
// on no host that it knows.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stack } from '../harness/stack.ts'
import { addWorker, openTestStore } from '../harness/store.ts'
import { openConnection, requestBytes, type Answer, type Connection } from './load.ts'

interface Worker {
  readonly base: URL
  readonly id: string
  readonly token: string
  readonly connection: Connection
}

const PING_INTERVAL_MS = 10_000

/** Runs `work` while `count` such workers serve the endpoint. */
export async function withProtocolWorkers<T>(
  stack: Stack,
  options: { endpointId: string; count: number },
  work: () => Promise<T>,
): Promise<T> {
  await stack.scaler.child().stop()
  const workers = await register(stack, options)
  const serving = workers.map((worker) => serve(worker).catch(() => undefined))
  const over = new AbortController()
  serving.push(ping(workers, over.signal).catch(() => undefined))
  try {
    return await work()
  } finally {
    over.abort()
    for (const { connection } of workers) connection.close()
    await Promise.all(serving)
    await stack.scaler.start()
  }
}

async function register(stack: Stack, { endpointId, count }: { endpointId: string; count: number }): Promise<readonly Worker[]> {
  await using store = await openTestStore(stack.redis.url)
  const base = new URL(`${stack.planeUrl}/v2/${endpointId}`)
  const workers: Worker[] = []
  for (let index = 0; index < count; index += 1) {
    const added = await addWorker(store, endpointId, { hostId: 'local' })
    workers.push({ base, ...added, connection: await openConnection(addressOf({ base })) })
  }
  return workers
}

/** Pings for each worker in turn, all of them once per interval, over one connection. */
async function ping(workers: readonly Worker[], signal: AbortSignal): Promise<void> {
  const [first] = workers
  if (first === undefined) return
  const connection = await openConnection(addressOf(first))
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(PING_INTERVAL_MS / workers.length, undefined, { signal })
    const worker = workers[turn % workers.length] ?? first
    const path = `${worker.base.pathname}/ping/${worker.id}?gpu=none`
    await connection.send(requestBytes({ ...addressOf(worker), method: 'GET', path, headers: { authorization: worker.token }, body: '' }))
  }
  connection.close()
}

/** One job at a time until its connection is closed. The next job comes with the response to a result (ADR 28), or by a poll. */
async function serve(worker: Worker): Promise<void> {
  const { base, id, token, connection } = worker
  const target = { ...addressOf(worker), headers: { authorization: token, 'x-runyard-next': '1' } }
  const take = requestBytes({ ...target, method: 'GET', path: `${base.pathname}/job-take/${id}?gpu=none`, body: '' })
  for (;;) {
    const taken = await connection.send(take)
    if (taken.status === 204) continue
    if (taken.status !== 200) throw new Error(`a take was answered ${taken.status}: ${taken.body}`)
    for (let jobId = idOf(taken); jobId !== undefined;) {
      const path = `${base.pathname}/job-done/${id}/${jobId}?gpu=none`
      jobId = idOf(await connection.send(requestBytes({ ...target, method: 'POST', path, body: '{"output":null}' })))
    }
  }
}

function idOf({ body }: Answer): string | undefined {
  return (JSON.parse(body) as { id?: string }).id
}

function addressOf({ base }: Pick<Worker, 'base'>): { host: string; port: number } {
  return { host: base.hostname, port: Number(base.port) }
}
