// The lane's invariants under many interleavings of looks, wakes and polls: no wake is lost, no job is given twice.
import type { TakenJob } from '@runyard/store'
import type { WorkerRecord } from '@runyard/schema'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Lane } from './take-queue.ts'
import { createWorkerState, type WorkerState } from './worker-session.ts'
import { takeStopOrders } from './takes.ts'

const NEVER = new AbortController().signal

function createWorker(id: string): WorkerState {
  const state = createWorkerState({ endpointId: 'ep', workerId: id, token: 't' })
  state.record = { id } as WorkerRecord
  return state
}

function createQueue() {
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
  const queue = createQueue()
  const lane = new Lane({
    // The queue is read at one moment, the answer arrives at a later one.
    takeJob: async () => {
      await ticks()
      const job = queue.take()
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
    const state = createWorker(id)
    while (got.length < wanted.length) {
      await ticks()
      let jobs = await lane.take({ state, max: 1, signal: over.signal })
      // Half of them ask for the next with their results.
      while (jobs.length > 0) {
        got.push(...jobs.map((job) => job.id))
        await ticks()
        jobs = seed % 2 === 0 ? await lane.takeNow({ state, max: 1, signal: over.signal }) : []
      }
    }
    over.abort()
  }
  const workers = Array.from({ length: 1 + (seed % 4) }, (_, index) => work(`w${index}`))
  for (const id of wanted) {
    await ticks()
    queue.waiting.push(id)
    lane.wake()
  }
  await Promise.all(workers)
  return { got: got.toSorted(), wanted }
}

describe('a lane', () => {
  // A lost wake would leave a worker in its 20 s hold.
  it('gives every job to one worker that waits, whatever the order of looks, wakes and polls', { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const { got, wanted } = await playInterleaving(seed)
      expect(got).toEqual(wanted)
    }
  })

  it('looks once into an empty queue, however many polls come, and again after a wake', async () => {
    const queue = createQueue()
    let looks = 0
    const lane = new Lane({
      takeJob: () => {
        looks += 1
        return Promise.resolve(queue.take())
      },
      checkVersion: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
    })
    const polls = ['w1', 'w2', 'w3'].map(async (id) => lane.take({ state: createWorker(id), max: 1, signal: NEVER }))
    await expect.poll(() => lane.parkedCount).toBe(3)
    const looksWhileEmpty = looks
    expect(await lane.takeNow({ state: createWorker('w5'), max: 1, signal: NEVER })).toEqual([])
    polls.push(lane.take({ state: createWorker('w4'), max: 1, signal: NEVER }))
    await expect.poll(() => lane.parkedCount).toBe(4)
    expect(looks).toBe(looksWhileEmpty)
    queue.waiting.push('a')
    lane.wake()
    expect(await Promise.race(polls)).toMatchObject([{ id: 'a' }])
    lane.release()
    await Promise.all(polls)
  })

  it('serves a worker that waits once the looks of others, which all found a job, have left it room', async () => {
    const queue = createQueue()
    let gate = Promise.resolve()
    const lane = new Lane({
      takeJob: async () => {
        await gate
        return queue.take()
      },
      checkVersion: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
    })
    const poll = async (id: string) => lane.take({ state: createWorker(id), max: 1, signal: NEVER })
    const waiting = [poll('w1'), poll('w2')]
    await expect.poll(() => lane.parkedCount).toBe(2)
    queue.waiting.push('first')
    lane.wake()
    await Promise.race(waiting)
    // From here on the queue is not known to be empty, one worker waits, and as many looks as may be are under way.
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    const others = Array.from({ length: 8 }, async (_, index) => poll(`other${index}`))
    await Promise.resolve()
    queue.waiting.push(...others.map((_, index) => `job${index}`), 'last')
    lane.wake()
    opened.resolve()
    const jobs = (await Promise.all([...waiting, ...others])).flat().map(({ id }) => id)
    expect(jobs.toSorted()).toEqual(['first', 'job0', 'job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'last'])
  })

  it('gives back what it took for a client that has gone meanwhile', async () => {
    const queue = createQueue()
    const controller = new AbortController()
    const back: string[] = []
    const lane = new Lane({
      takeJob: () => {
        controller.abort()
        return Promise.resolve(queue.take())
      },
      checkVersion: () => Promise.resolve(),
      giveBack: async (_state, jobs) => {
        back.push(...jobs.map(({ id }) => id))
      },
    })
    queue.waiting.push('a')
    expect(await lane.take({ state: createWorker('w'), max: 1, signal: controller.signal })).toEqual([])
    expect(back).toEqual(['a'])
  })

  it('keeps what it has when the rest of a batch cannot be read', async () => {
    let looks = 0
    const lane = new Lane({
      takeJob: () => {
        looks += 1
        return looks === 1 ? Promise.resolve({ id: 'a' } as TakenJob) : Promise.reject(new Error('away'))
      },
      giveBack: () => Promise.resolve(),
      checkVersion: () => Promise.resolve(),
    })
    const jobs = await lane.take({ state: createWorker('w'), max: 3, signal: NEVER })
    expect(jobs.map(({ id }) => id)).toEqual(['a'])
  })
})

describe('a poll without an answer', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const emptyLane = (): Lane =>
    new Lane({ takeJob: async () => undefined, giveBack: async () => undefined, checkVersion: async () => undefined })
  const stopPoll = (state: WorkerState): Promise<readonly string[]> =>
    takeStopOrders({ store: { jobs: { renew: async () => [] } } } as unknown as Parameters<typeof takeStopOrders>[0], state, NEVER)

  it('is no reason to look into the queue again, however often it is asked', async () => {
    vi.useFakeTimers()
    const takeJob = vi.fn(async () => undefined)
    const lane = new Lane({ takeJob, giveBack: async () => undefined, checkVersion: async () => undefined })
    for (let polls = 0; polls < 100; polls += 1) {
      const poll = lane.take({ state: createWorker(`w${polls % 3}`), max: 1, signal: NEVER })
      await vi.advanceTimersByTimeAsync(25_000)
      expect(await poll).toEqual([])
    }
    expect(takeJob).toHaveBeenCalledTimes(1)
  })

  // SDK 1.7.3 to 1.7.5 closes its side after 30 s, and every version asks again at once (worker-api §4.3; worker-api §17.3, §15.2).
  it.each([
    ['take', (state: WorkerState) => emptyLane().take({ state, max: 1, signal: NEVER })],
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
