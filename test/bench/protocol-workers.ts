// Workers without a Python: they speak the worker protocol (worker-api §4, §5) and answer at once. They show what the queue, the gateway
// and Redis carry by themselves. The scaler is stopped meanwhile, since these workers live on no host that it knows.
import { Agent, request } from 'node:http'
import { openStore } from '@runyard/store'
import type { Stack } from '../harness/stack.ts'

interface Worker {
  readonly base: string
  readonly id: string
  readonly token: string
  readonly agent: Agent
}

/** Runs `work` while `count` such workers serve the endpoint. */
export async function withProtocolWorkers<T>(
  stack: Stack,
  options: { endpointId: string; count: number },
  work: () => Promise<T>,
): Promise<T> {
  await stack.scaler.child().stop()
  const stop = new AbortController()
  const agent = new Agent({ keepAlive: true, maxSockets: options.count * 2 })
  try {
    const workers = await register(stack, { ...options, agent })
    const serving = workers.map((worker) => serve(worker, stop.signal))
    const result = await work()
    stop.abort()
    await Promise.allSettled(serving)
    return result
  } finally {
    stop.abort()
    agent.destroy()
    await stack.scaler.start()
  }
}

async function register(
  stack: Stack,
  { endpointId, count, agent }: { endpointId: string; count: number; agent: Agent },
): Promise<readonly Worker[]> {
  await using store = await openStore({ redisUrl: stack.redis.url, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 } })
  const endpoint = await store.endpoints.get(endpointId)
  if (endpoint === undefined) throw new Error('the endpoint is gone')
  const facts = { endpointId, hostId: 'local', specHash: endpoint.specHash, endpointVersion: endpoint.version, image: 'bench', gpus: [] }
  const base = `${stack.planeUrl}/v2/${endpointId}`
  const workers: Worker[] = []
  for (let index = 0; index < count; index += 1) {
    const id = `bench${index}x${Date.now()}`
    await store.workers.create({ ...facts, id, startReason: 'jobs_waiting', createdAt: Date.now() })
    workers.push({ base, id, token: await store.workerToken(endpointId, id), agent })
  }
  return workers
}

/** Take, answer, take: one job at a time. */
async function serve(worker: Worker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const taken = await call(worker, { method: 'GET', path: `/job-take/${worker.id}?gpu=none`, signal })
    if (taken === '') continue
    const job = JSON.parse(taken) as { id: string }
    await call(worker, { method: 'POST', path: `/job-done/${worker.id}/${job.id}?gpu=none`, body: '{"output":null}', signal })
  }
}

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly signal: AbortSignal
}

async function call({ base, token, agent }: Worker, { method, path, body, signal }: Call): Promise<string> {
  const headers = { authorization: token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  return await new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { method, headers, agent, signal }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(response.statusCode === 200 ? text : ''))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
