// Collects one plan: actions in order, and the earliest time at which something becomes due. Local to one call of `plan`.
import { actionKey, type Action, type Observed } from './observed.ts'

export type PlanBuilder = ReturnType<typeof createPlanBuilder>

export function createPlanBuilder(observed: Observed, now: number) {
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
    /** Adds the action unless another action with its key is in flight. */
    add(action: Action) {
      const inFlight = observed.inFlight.get(actionKey(action))
      // A start in flight can be interrupted; every other action runs to its end.
      if (inFlight === undefined || (inFlight === 'start' && isAllowedWhileStarting(action))) actions.push(action)
    },
    /** True if `at` has been reached. Otherwise records it as a time to plan again. */
    isDue(at: number): boolean {
      if (at <= now) return true
      wakeAt(at)
      return false
    },
    nextDueAt: (): number => nextDueAt,
  }
}

function isAllowedWhileStarting(action: Action): boolean {
  return action.kind === 'drain' || action.kind === 'stop' || action.kind === 'mark-outdated'
}
