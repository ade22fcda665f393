// The workers of endpoints as this process last read them, for what shows all of them now and then. The signal `worker-changed` drops the list of its
// endpoint, a lost connection drops all, and lists expire. What is written without a signal lags until then: when the image was ready, the container was
// started, the worker became outdated, first entered the function and last ended a job, and how many jobs it takes at once.
import type { Store } from '@runyard/store'

const MAX_AGE_MS = 10 * 60_000
const MOST_ENDPOINTS = 1000

type WorkerStore = Store['workers']

export type WorkerLists = Pick<WorkerStore, 'list'> & AsyncDisposable

export function createWorkerLists({ workers, subscribe }: Pick<Store, 'workers' | 'subscribe'>): WorkerLists {
  // A read that began before a change is dropped with it, so who asks later does not get it.
  const known = new Map<string, { readonly at: number; readonly list: ReturnType<WorkerStore['list']> }>()
  const subscription = subscribe((signal) => {
    if (signal.kind === 'resync') known.clear()
    else if (signal.kind === 'worker-changed') known.delete(signal.endpointId)
  })
  return {
    list(endpointId) {
      const before = known.get(endpointId)
      if (before !== undefined && performance.now() - before.at < MAX_AGE_MS) return before.list
      const entry = { at: performance.now(), list: workers.list(endpointId) }
      if (known.size >= MOST_ENDPOINTS) known.clear()
      known.set(endpointId, entry)
      entry.list.catch(() => known.get(endpointId) === entry && known.delete(endpointId))
      return entry.list
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  }
}
