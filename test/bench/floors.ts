// The floors: what the bare libraries do on this machine, in this run, on the same Redis. Each is the least that our path must also do.
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Queue, Worker, type Job } from 'bullmq'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/redis.ts'
import { waitFor } from '../harness/wait.ts'
import { measureLatency, measureRate } from './load.ts'

const BODY = JSON.stringify({ input: { n: 1 } })
const TOKEN = 'bench'

/** Latencies in ms of `Queue.add` until the job is completed by a manual fetcher. */
export async function bareRoundTrip(redisUrl: string, options: { perSecond: number; count: number }): Promise<readonly number[]> {
  await using bare = openBare(redisUrl, 'round-trip')
  const waiting = new Map<string, () => void>()
  const until = new AbortController()
  const fetcher = (async () => {
    while (!until.signal.aborted) {
      const job = await bare.worker.getNextJob(TOKEN)
      if (job === undefined) continue
      await job.moveToCompleted({ ok: true }, TOKEN, false)
      waiting.get(job.id ?? '')?.()
    }
  })()
  let id = 0
  const send = async (): Promise<void> => {
    id += 1
    const name = `job-${id}`
    const completed = new Promise<void>((resolve) => waiting.set(name, resolve))
    await bare.queue.add('job', { n: 1 }, { jobId: name, removeOnComplete: true })
    await completed
    waiting.delete(name)
  }
  await measureLatency(send, { perSecond: options.perSecond, count: 50 })
  const latencies = await measureLatency(send, options)
  until.abort()
  await bare.queue.add('job', {}, { removeOnComplete: true })
  await fetcher
  return latencies
}

/** `Queue.add` per second with 64 in flight. */
export async function bareAdds(redisUrl: string, durationMs: number): Promise<number> {
  await using bare = openBare(redisUrl, 'adds')
  const begun = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (performance.now() - begun < durationMs) {
        await bare.queue.add('job', { n: 1 })
        done += 1
      }
    }),
  )
  return (done * 1000) / (performance.now() - begun)
}

/** Take and complete per second, 16 fetchers without blocking, `count` jobs waiting. */
export async function bareTakeAndComplete(redisUrl: string, count: number): Promise<number> {
  await using bare = openBare(redisUrl, 'takes')
  for (let index = 0; index < count; index += 1000) {
    const batch = Array.from({ length: Math.min(1000, count - index) }, () => ({
      name: 'job',
      data: { n: 1 },
      opts: { removeOnComplete: true },
    }))
    await bare.queue.addBulk(batch)
  }
  const begun = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (;;) {
        const job: Job | undefined = await bare.worker.getNextJob(TOKEN, { block: false })
        if (job === undefined) return
        await job.moveToCompleted({ ok: true }, TOKEN, false)
        done += 1
      }
    }),
  )
  return (done * 1000) / (performance.now() - begun)
}

/** Requests per second of a Fastify that parses JSON and answers JSON, in a process of its own. */
export async function bareEcho(durationMs: number): Promise<number> {
  const port = await freePort()
  const child = startChild({ name: 'echo', command: process.execPath, args: [join(import.meta.dirname, 'echo-server.ts'), `${port}`] })
  try {
    await waitFor('the echo to listen', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 404)
    const target = { host: '127.0.0.1', port, path: '/echo', headers: { 'content-type': 'application/json' }, body: BODY }
    await measureRate(target, { connections: 64, durationMs: 500 })
    return await measureRate(target, { connections: 64, durationMs })
  } finally {
    await child.stop(1000)
  }
}

/** Milliseconds from `create` of a container to the first byte that it sends to `host`; median of `count`. */
export async function bareContainerStart(options: { image: string; host: string; count: number }): Promise<readonly number[]> {
  const arrivals: (() => void)[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      arrivals.shift()?.()
      socket.end()
    })
  })
  const port = await freePort(options.host)
  await new Promise<void>((resolve) => server.listen(port, options.host, resolve))
  const taken: number[] = []
  for (let index = 0; index < options.count; index += 1) taken.push(await oneStart(options, port, arrivals))
  server.close()
  return taken
}

async function oneStart(options: { image: string; host: string }, port: number, arrivals: (() => void)[]): Promise<number> {
  const command = ['bash', '-c', `echo hello > /dev/tcp/${options.host}/${port}`]
  const begun = performance.now()
  const arrived = new Promise<void>((resolve) => arrivals.push(resolve))
  const spec = { Image: options.image, Entrypoint: command, Cmd: [], Labels: { 'runyard-bench': 'floor' } }
  const created = JSON.parse(await engine('POST', '/containers/create', spec)) as { Id: string }
  await engine('POST', `/containers/${created.Id}/start`)
  await arrived
  const taken = performance.now() - begun
  await engine('DELETE', `/containers/${created.Id}?force=true`)
  return taken
}

/** The Engine API without any library. */
export async function engine(method: string, path: string, body?: unknown): Promise<string> {
  return await new Promise((resolve, reject) => {
    const call = request(
      { socketPath: '/var/run/docker.sock', method, path, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => ((response.statusCode ?? 500) < 400 ? resolve(text) : reject(new Error(`${method} ${path}: ${text}`))))
      },
    )
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

interface Bare extends AsyncDisposable {
  readonly queue: Queue
  readonly worker: Worker
}

function openBare(redisUrl: string, name: string): Bare {
  const url = new URL(redisUrl)
  const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null }
  const queue = new Queue(`floor-${name}`, { connection })
  const worker = new Worker(`floor-${name}`, undefined, { connection, autorun: false })
  return {
    queue,
    worker,
    [Symbol.asyncDispose]: async () => {
      await worker.close(true)
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}
