// Shutdown of a scaler whose workers go with it: ticks until none is left. Failure direction: without a tick that goes through, workers are left running.
import { sentenceOf, type Logger, type Loop } from '@runyard/kit'
import type { Standing } from './leadership.ts'

const LOOK_MS = 100
/** It waits so long for a Redis that is away, or that refuses writes. */
const WITHOUT_TICK_MS = 30_000
const TROUBLE_AFTER_MS = 3000

interface DrainState {
  shutdown: boolean
  /** Workers that shutdown has still to clear away; undefined: no tick has counted them. */
  remaining: number | undefined
  /** Of the last tick that went through. */
  readonly workedAt: number
  readonly standing: Standing | undefined
}

interface Draining {
  readonly loop: Loop
  readonly state: DrainState
  readonly log: Logger
  readonly onTrouble: (sentence: string) => void
}

/** A tick that fails or is not sure to lead clears nothing away, so only one that went through can be the last. */
export async function drainAll({ loop, state, log, onTrouble }: Draining): Promise<boolean> {
  state.shutdown = true
  let isTold = false
  for (let workedAt = Date.now(); state.standing?.kind !== 'elsewhere'; workedAt = Math.max(workedAt, state.workedAt)) {
    state.remaining = undefined
    const problem = await loop.tick().then(
      () => undefined,
      (error: unknown) => error,
    )
    if (state.remaining === 0) return true
    const stuckMs = Date.now() - Math.max(workedAt, state.workedAt)
    if (stuckMs > TROUBLE_AFTER_MS && !isTold) {
      isTold = true
      onTrouble(problem === undefined ? 'this scaler is not sure to lead' : sentenceOf(problem))
    }
    if (stuckMs > WITHOUT_TICK_MS) {
      log.error({ err: problem }, 'workers are left running: this scaler could not drain them')
      return false
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return true
}
