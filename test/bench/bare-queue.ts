// Baselines of the queue: bare BullMQ on this machine, in this run, on the same Redis over the same socket; the minimum that our path must do, too.
import { Queue, Worker, type Job } from 'bullmq'
import { measureLatency } from './load.ts'

const TOKEN = 'bench'

/** Latencies in ms of `Queue.add` until the job is completed by a manual fetcher. */
export async function bareRoundTrip(socket: string, options: { perSecond: number; count: number }): Promise<readonly number[]> {
  await using bare = openBare(socket, 'round-trip')
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
export async function bareAdds(socket: string, durationMs: number): Promise<number> {
  await using bare = openBare(socket, 'adds')
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
export async function bareTakeAndComplete(socket: string, count: number): Promise<number> {
  await using bare = openBare(socket, 'takes')
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

interface Bare extends AsyncDisposable {
  readonly queue: Queue
  readonly worker: Worker
}

function openBare(socket: string, name: string): Bare {
  const connection = { path: socket, maxRetriesPerRequest: null }
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
