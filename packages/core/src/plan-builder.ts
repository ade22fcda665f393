// Collects one plan: actions in order, and the earliest time at which something will become due. Local to one call of `plan`.
import { actionKey, type Action, type Observed } from './observed.ts'

export interface PlanBuilder {
  readonly observed: Observed
  readonly now: number
  readonly actions: readonly Action[]
  /** Adds the action unless its key is being worked on. */
  add(action: Action): void
  /** Is `at` here? If not, it is remembered as a time to plan again. */
  isDue(at: number): boolean
  wakeAt(at: number): void
  nextDueAt(): number
}

export function createPlanBuilder(observed: Observed, now: number): PlanBuilder {
  const actions: Action[] = []
  let nextDueAt = Infinity
  const wakeAt = (at: number) => {
    nextDueAt = Math.min(nextDueAt, at)
  }
  return {
    observed,
    now,
    actions,
    wakeAt,
    add(action) {
      const inFlight = observed.inFlight.get(actionKey(action))
      // A start under way can be broken off; everything else is let finish.
      if (inFlight === undefined || (inFlight === 'start' && isAllowedWhileStarting(action))) actions.push(action)
    },
    isDue(at) {
      if (at <= now) return true
      wakeAt(at)
      return false
    },
    nextDueAt: () => nextDueAt,
  }
}

function isAllowedWhileStarting(action: Action): boolean {
  return action.kind === 'drain' || action.kind === 'stop' || action.kind === 'mark-outdated'
}
