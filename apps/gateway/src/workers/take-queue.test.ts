// The take queue's invariants under many interleavings of reads, wake-ups and polls: no wake-up is lost, no job is handed out twice.
import type { TakenJob } from '@runyard/store'
import type { WorkerRecord } from '@runyard/schema'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TakeQueue } from './take-queue.ts'
import { takeStopOrders } from './dispatcher.ts'
import { WorkerSession } from './worker-session.ts'

const NEVER = new AbortController().signal

function createWorker(id: string): WorkerSession {
  const session = new WorkerSession({ endpointId: 'ep', workerId: id, token: 't' })
  session.learn({ id } as WorkerRecord)
  return session
}

function createJobs() {
  const waiting: string[] = []
  return {
    waiting,
    take: (): TakenJob | undefined => {
      const id = waiting.shift()
      return id === undefined ? undefined : ({ id, submission: { id } } as unknown as TakenJob)
    },
  }
}

/** A number of ticks that differs from call to call but not from run to run. */
function createTicks(seed: number): () => Promise<void> {
  let state = seed
  return async () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    for (let ticks = state % 7; ticks > 0; ticks -= 1) await Promise.resolve()
  }
}

async function playInterleaving(seed: number): Promise<{ got: readonly string[]; wanted: readonly string[] }> {
  const ticks = createTicks(seed)
  const jobs = createJobs()
  const queue = new TakeQueue({
    // The queue is read at one moment, the answer arrives at a later one.
    takeJob: async () => {
      await ticks()
      const job = jobs.take()
      await ticks()
      return job
    },
    giveBack: () => Promise.reject(new Error('nothing is to be given back here')),
    checkVersion: () => Promise.resolve(),
  })
  const wanted = Array.from({ length: 1 + (seed % 6) }, (_, index) => `job${index}`)
  const got: string[] = []
  const over = new AbortController()
  const work = async (id: string): Promise<void> => {
    const session = createWorker(id)
    while (got.length < wanted.length) {
      await ticks()
      let taken = await queue.take({ session, max: 1, signal: over.signal })
      // Half of them ask for the next with their results.
      while (taken.length > 0) {
        got.push(...taken.map((job) => job.id))
        await ticks()
        taken = seed % 2 === 0 ? await queue.takeNow({ session, max: 1, signal: over.signal }) : []
      }
    }
    over.abort()
  }
  const workers = Array.from({ length: 1 + (seed % 4) }, (_, index) => work(`w${index}`))
  for (const id of wanted) {
    await ticks()
    jobs.waiting.push(id)
    queue.wake()
  }
  await Promise.all(workers)
  return { got: got.toSorted(), wanted }
}

describe('a take queue', () => {
  // A lost wake-up would leave a worker in its 20 s hold.
  it('gives every job to one worker that waits, whatever the order of reads, wake-ups and polls', { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const { got, wanted } = await playInterleaving(seed)
      expect(got).toEqual(wanted)
    }
  })

  it('reads an empty queue once, however many polls come, and again after a wake-up', async () => {
    const jobs = createJobs()
    let reads = 0
    const queue = new TakeQueue({
      takeJob: () => {
        reads += 1
        return Promise.resolve(jobs.take())
      },
      checkVersion: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
    })
    const polls = ['w1', 'w2', 'w3'].map(async (id) => queue.take({ session: createWorker(id), max: 1, signal: NEVER }))
    await expect.poll(() => queue.parkedCount).toBe(3)
    const readsWhileEmpty = reads
    expect(await queue.takeNow({ session: createWorker('w5'), max: 1, signal: NEVER })).toEqual([])
    polls.push(queue.take({ session: createWorker('w4'), max: 1, signal: NEVER }))
    await expect.poll(() => queue.parkedCount).toBe(4)
    expect(reads).toBe(readsWhileEmpty)
    jobs.waiting.push('a')
    queue.wake()
    expect(await Promise.race(polls)).toMatchObject([{ id: 'a' }])
    queue.release()
    await Promise.all(polls)
  })

  it('serves a parked poll after reads of other polls that all found a job', async () => {
    const jobs = createJobs()
    let gate = Promise.resolve()
    const queue = new TakeQueue({
      takeJob: async () => {
        await gate
        return jobs.take()
      },
      checkVersion: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
    })
    const poll = async (id: string) => queue.take({ session: createWorker(id), max: 1, signal: NEVER })
    const waiting = [poll('w1'), poll('w2')]
    await expect.poll(() => queue.parkedCount).toBe(2)
    jobs.waiting.push('first')
    queue.wake()
    await Promise.race(waiting)
    // From here on the queue is not known to be empty, one worker waits, and as many reads as possible are under way.
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const others = Array.from({ length: 8 }, async (_, index) => poll(`other${index}`))
    await Promise.resolve()
    jobs.waiting.push(...others.map((_, index) => `job${index}`), 'last')
    queue.wake()
    opened.resolve()
    const taken = (await Promise.all([...waiting, ...others])).flat().map(({ id }) => id)
    expect(taken.toSorted()).toEqual(['first', 'job0', 'job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'last'])
  })

  it('returns a job that it took for a client that has gone meanwhile', async () => {
    const jobs = createJobs()
    const controller = new AbortController()
    const back: string[] = []
    const queue = new TakeQueue({
      takeJob: () => {
        controller.abort()
        return Promise.resolve(jobs.take())
      },
      checkVersion: () => Promise.resolve(),
      giveBack: async (_session, undelivered) => {
        back.push(...undelivered.map(({ id }) => id))
      },
    })
    jobs.waiting.push('a')
    expect(await queue.take({ session: createWorker('w'), max: 1, signal: controller.signal })).toEqual([])
    expect(back).toEqual(['a'])
  })

  it('hands out the jobs that it has when the rest of a batch cannot be read', async () => {
    let reads = 0
    const queue = new TakeQueue({
      takeJob: () => {
        reads += 1
        return reads === 1 ? Promise.resolve({ id: 'a' } as TakenJob) : Promise.reject(new Error('away'))
      },
      giveBack: () => Promise.resolve(),
      checkVersion: () => Promise.resolve(),
    })
    const taken = await queue.take({ session: createWorker('w'), max: 3, signal: NEVER })
    expect(taken.map(({ id }) => id)).toEqual(['a'])
  })
})

describe('a poll without an answer', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const emptyQueue = (): TakeQueue =>
    new TakeQueue({ takeJob: async () => undefined, giveBack: async () => undefined, checkVersion: async () => undefined })
  const stopPoll = (session: WorkerSession): Promise<readonly string[]> =>
    takeStopOrders({ store: { jobs: { renew: async () => [] } } } as unknown as Parameters<typeof takeStopOrders>[0], session, NEVER)

  it('causes no further read of the queue, however many there are', async () => {
    vi.useFakeTimers()
    const takeJob = vi.fn(async () => undefined)
    const queue = new TakeQueue({ takeJob, giveBack: async () => undefined, checkVersion: async () => undefined })
    for (let polls = 0; polls < 100; polls += 1) {
      const poll = queue.take({ session: createWorker(`w${polls % 3}`), max: 1, signal: NEVER })
      await vi.advanceTimersByTimeAsync(25_000)
      expect(await poll).toEqual([])
    }
    expect(takeJob).toHaveBeenCalledTimes(1)
  })

  // SDK 1.7.3 to 1.7.5 closes its side after 30 s, and every version asks again at once (worker-api §4.3; worker-api §17.3, §15.2).
  it.each([
    ['take', (session: WorkerSession) => emptyQueue().take({ session, max: 1, signal: NEVER })],
    ['stop', stopPoll],
  ])('a %s poll is held for seconds, yet never longer than 25', async (_kind, ask) => {
    vi.useFakeTimers()
    let isAnswered = false
    const poll = ask(createWorker('w1')).finally(() => {
      isAnswered = true
    })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await poll).toEqual([])
  })
})
