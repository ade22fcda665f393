// A reconcile loop: tick, then sleep until the tick's own due time or a wake-up, whichever is first. Wake-ups carry no data and coalesce; ticks
// never overlap. A tick that throws is logged and retried with increasing pauses.
import type { Logger } from './logger.ts'

export type Loop = ReturnType<typeof createLoop>

export interface LoopOptions {
  readonly name: string
  /** Takes the current time and returns when to run again, both epoch ms. */
  readonly tick: (now: number) => Promise<number>
  readonly log: Pick<Logger, 'error'>
  readonly maxSleepMs: number
}

const FIRST_PAUSE_MS = 250

export function createLoop(options: LoopOptions) {
  const sleeper = createSleeper()
  const state: { stopped: boolean; failures: number; running?: Promise<void>; last?: Promise<unknown> } = { stopped: false, failures: 0 }

  function runTick(): Promise<number> {
    const turn = Promise.resolve(state.last).then(() => options.tick(Date.now()))
    state.last = turn.catch(() => undefined)
    return turn
  }

  async function dueAfterTick(): Promise<number> {
    try {
      const due = await runTick()
      state.failures = 0
      return due
    } catch (error) {
      state.failures += 1
      options.log.error({ loop: options.name, failures: state.failures, err: error }, 'tick failed')
      // A wake-up must not turn a broken dependency into a busy loop.
      sleeper.forgetWake()
      return Date.now() + FIRST_PAUSE_MS * 2 ** Math.min(state.failures - 1, 10)
    }
  }

  async function run(): Promise<void> {
    while (!state.stopped) {
      sleeper.forgetWake()
      const due = await dueAfterTick()
      if (!state.stopped) await sleeper.sleep(Math.min(due - Date.now(), options.maxSleepMs))
    }
  }

  return {
    /** Makes the next tick due now; during a tick, another one follows. */
    wake() {
      sleeper.wake()
    },
    /** Runs one tick now (after a running one) and settles with it. Tests advance a loop with this. */
    async tick(): Promise<void> {
      await runTick()
    },
    start() {
      state.running ??= run()
    },
    async [Symbol.asyncDispose]() {
      state.stopped = true
      sleeper.wake()
      await state.running
      await state.last
    },
  }
}

/** A sleep that a wake-up ends, or prevents if it came just before. */
function createSleeper(): { wake(): void; forgetWake(): void; sleep(ms: number): Promise<void> } {
  let woken = false
  let end: (() => void) | undefined
  return {
    wake() {
      woken = true
      end?.()
    },
    forgetWake() {
      woken = false
    },
    async sleep(ms) {
      if (woken) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, ms))
        end = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      end = undefined
    },
  }
}

/** One run at a time per id: a call during another one with its id waits for that one, and ends as it does. */
export function onceAtATime<Item>(idOf: (item: Item) => string, act: (item: Item) => Promise<void>): (item: Item) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  return async (item) => {
    const id = idOf(item)
    const run = running.get(id) ?? act(item).finally(() => running.delete(id))
    running.set(id, run)
    await run
  }
}
