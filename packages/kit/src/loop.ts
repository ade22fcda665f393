// A reconcile loop: tick, then sleep until the tick's own due time or a wake-up, whichever is first. Wakes carry no meaning and
// coalesce; ticks never overlap. A tick that throws is logged and tried again with growing pauses.
import type { Logger } from './logger.ts'

export interface Loop extends AsyncDisposable {
  /** Makes the next tick due now; during a tick, one more follows it. */
  wake(): void
  /** Runs one tick now (after a running one) and settles with it: tests advance a loop by this. */
  tick(): Promise<void>
  start(): void
}

export interface LoopOptions {
  readonly name: string
  /** Gets the time and returns when it wants to run again, both epoch ms. */
  readonly tick: (now: number) => Promise<number>
  readonly log: Pick<Logger, 'error'>
  readonly maxSleepMs: number
}

const FIRST_PAUSE_MS = 250

export function createLoop(options: LoopOptions): Loop {
  let stopped = false
  let running: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let woken = false
  let failures = 0
  let endSleep: (() => void) | undefined

  async function runTick(): Promise<number> {
    let due = 0
    const turn = last.then(async () => {
      due = await options.tick(Date.now())
    })
    last = turn.catch(() => {})
    await turn
    return due
  }

  async function dueAfterTick(): Promise<number> {
    try {
      const due = await runTick()
      failures = 0
      return due
    } catch (error) {
      failures += 1
      options.log.error({ loop: options.name, failures, err: error }, 'tick failed')
      // A wake must not turn a broken dependency into a busy loop.
      woken = false
      return Date.now() + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), options.maxSleepMs)
    }
  }

  async function sleepUntil(due: number): Promise<void> {
    if (woken || stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.max(0, due - Date.now()), options.maxSleepMs))
      endSleep = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    endSleep = undefined
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false
      await sleepUntil(await dueAfterTick())
    }
  }

  return {
    wake() {
      woken = true
      endSleep?.()
    },
    async tick() {
      await runTick()
    },
    start() {
      running ??= run()
    },
    async [Symbol.asyncDispose]() {
      stopped = true
      endSleep?.()
      await running
      await last
    },
  }
}
