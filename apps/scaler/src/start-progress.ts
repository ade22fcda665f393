// What a host says while it starts a worker, for the worker's system log: each line once.
import type { Observed } from '@runyard/core'
import type { Store } from '@runyard/store'

export interface StartProgress {
  note(observed: Observed, now: number): void
}

export function createStartProgress({ store }: { readonly store: Pick<Store, 'workerLogs'> }): StartProgress {
  let known = new Map<string, string>()
  return {
    note({ hosts }, now) {
      const starting = hosts.flatMap(({ workers = [] }) => workers).filter(({ state }) => state === 'starting')
      const lines = new Map(starting.flatMap(({ workerId, progress }) => (progress === undefined ? [] : [[workerId, progress] as const])))
      for (const [workerId, line] of lines) {
        // A lost line does no harm.
        if (known.get(workerId) !== line) void store.workerLogs.append(workerId, 'system', [{ at: now, line }]).catch(() => undefined)
      }
      known = lines
    },
  }
}
