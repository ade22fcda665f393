// Our side of each ratio, over the whole stack: HTTP in, the queue, a real worker with a real Python function, HTTP out.
import { Redis } from 'ioredis'
import type { Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, NAP, sourceCall, valueOf } from '../suites/calls.ts'
import { measureLatency, measureRate, openPool, sendMany, type Target } from './load.ts'
import { withProtocolWorkers } from './protocol-workers.ts'

const NO_OP = 'def noop():\n    return None\n'
const NOW = 'def now():\n    import time\n    return {"at": time.time()}\n'

/** Start and end of a worker cause commands of their own, which are not counted. */
const SETTLE_MS = 3000

const noOp = JSON.stringify({ input: sourceCall('noop', NO_OP) })

function target(stack: Stack, path: string, body: string): Target {
  const url = new URL(stack.url)
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  return { host: url.hostname, port: Number(url.port), path, headers, body }
}

/** Latencies in ms of warm `/runsync` of a no-op Python function. */
export async function warmRunsync(stack: Stack, options: { perSecond: number; count: number }): Promise<readonly number[]> {
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-warm', workersMin: 1, idleTimeout: 600 })
  const pool = await openPool(target(stack, `/v2/${endpoint}/runsync`, noOp), 32)
  const send = async (): Promise<void> => {
    const answer = await pool.send()
    if (!answer.body.includes('"COMPLETED"')) throw new Error(`runsync answered ${answer.status}: ${answer.body}`)
  }
  for (let index = 0; index < 50; index += 1) await send()
  const latencies = await measureLatency(send, options)
  pool.close()
  await stack.api.deleteEndpoint(endpoint)
  return latencies
}

/** `POST /run` accepted per second, no worker in the way. */
export async function acceptedRuns(stack: Stack, durationMs: number): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-accept', workersMax: 0 })
  const accept = target(stack, `/v2/${endpoint}/run`, noOp)
  await measureRate(accept, { connections: 64, durationMs: 300 })
  const rate = await measureRate(accept, { connections: 64, durationMs })
  await stack.api.deleteEndpoint(endpoint)
  return rate
}

/** No-op jobs per second from the first submission to the last completion, with `workers` warm Python workers. */
export async function endToEnd(stack: Stack, options: { workers: number; count: number }): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({
    name: `bench-through-${options.workers}`,
    workersMin: options.workers,
    workersMax: options.workers,
    idleTimeout: 600,
  })
  await waitFor('the workers to be warm', async () => (await stack.api.health(endpoint)).workers.ready === options.workers)
  await sendMany(target(stack, `/v2/${endpoint}/runsync`, noOp), { connections: options.workers * 2, count: 20 })
  const rate = await throughput(stack, endpoint, options.count)
  await stack.api.deleteEndpoint(endpoint)
  return rate
}

/** The same with workers that answer at once and run no Python: what the queue and the gateway carry. */
export async function endToEndWithoutPython(stack: Stack, options: { workers: number; count: number }): Promise<number> {
  const endpointId = await stack.api.saveEndpoint({ name: 'bench-protocol', workersMax: options.workers, idleTimeout: 600 })
  const rate = await withProtocolWorkers(stack, { endpointId, count: options.workers }, () => throughput(stack, endpointId, options.count))
  await stack.api.deleteEndpoint(endpointId)
  return rate
}

/** Jobs per second from the first submission to the last completion. */
async function throughput(stack: Stack, endpoint: string, count: number): Promise<number> {
  const completed = async (): Promise<number> => (await stack.api.health(endpoint)).jobs.completed
  const before = await completed()
  const begun = performance.now()
  await sendMany(target(stack, `/v2/${endpoint}/run`, noOp), { connections: 32, count })
  await waitFor('all jobs to complete', async () => (await completed()) - before >= count, { intervalMs: 20, timeoutMs: 60_000 })
  return (count * 1000) / (performance.now() - begun)
}

/** Milliseconds from `POST` at zero workers to the first line of the function; each time on a fresh endpoint, image present. */
export async function coldStarts(stack: Stack, count: number): Promise<readonly number[]> {
  const taken: number[] = []
  for (let index = 0; index < count; index += 1) {
    const endpoint = await stack.api.saveEndpoint({ name: `bench-cold-${index}`, idleTimeout: 600 })
    const begun = Date.now()
    const job = await stack.api.runsync(endpoint, sourceCall('now', NOW))
    taken.push(Number(valueOf(job['output'])['at']) * 1000 - begun)
    await stack.api.deleteEndpoint(endpoint)
    await waitFor('the worker to go', async () => (await stack.api.endpoints()).every((one) => one.id !== endpoint))
  }
  return taken
}

/** Seconds from SIGKILL of a worker to the function's first line on another. */
export async function killToRerun(stack: Stack, count: number): Promise<readonly number[]> {
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-kill', workersMax: 2, idleTimeout: 600 })
  const taken: number[] = []
  for (let index = 0; index < count; index += 1) {
    await stack.api.runsync(endpoint, sourceCall('echo', ECHO))
    const id = await stack.api.run(endpoint, sourceCall('nap', NAP, { seconds: 1 }))
    const worker = await waitFor('the job to run', async () => {
      const job = await stack.api.status(endpoint, id)
      return job.status === 'IN_PROGRESS' ? String(job['workerId']) : undefined
    })
    const pid = await findWorkerPid(stack.host, worker)
    const killedAt = Date.now() / 1000
    process.kill(pid, 'SIGKILL')
    const job = await stack.api.settled(endpoint, id)
    taken.push(Number(valueOf(job['output'])['begun']) - killedAt)
  }
  await stack.api.deleteEndpoint(endpoint)
  return taken
}

/** Redis commands per second that each further idle worker causes: four against one, all else the same. */
export async function idleCommands(stack: Stack, windowMs: number): Promise<number> {
  const few = await rateWithIdle(stack, { workers: 1, windowMs })
  const many = await rateWithIdle(stack, { workers: 4, windowMs })
  return (many - few) / 3
}

async function rateWithIdle(stack: Stack, { workers, windowMs }: { workers: number; windowMs: number }): Promise<number> {
  const settings = { workersMin: workers, workersMax: workers, idleTimeout: 600 }
  const endpoint = await stack.api.saveEndpoint({ name: `bench-idle-${workers}`, ...settings })
  await waitFor('the workers to be warm', async () => (await stack.api.health(endpoint)).workers.ready === workers)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const rate = await commandRate(stack, windowMs)
  await stack.api.deleteEndpoint(endpoint)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  return rate
}

/** Commands that reach Redis over a connection; what a script does inside Redis costs no trip and is not counted. */
async function commandRate(stack: Stack, windowMs: number): Promise<number> {
  const redis = new Redis(stack.redis.url)
  const monitor = await redis.monitor()
  let seen = 0
  monitor.on('monitor', (_time: string, _args: readonly string[], source: string) => {
    if (source !== 'lua') seen += 1
  })
  await new Promise((resolve) => setTimeout(resolve, windowMs))
  monitor.disconnect()
  redis.disconnect()
  return seen / (windowMs / 1000)
}
