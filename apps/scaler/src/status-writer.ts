// What the scaler reports of endpoints and of starting workers. The status of an endpoint, for `/health`, the CLI and the log, is written when it
// changes, and regularly to show that it is still true. What a host reports while it starts a worker goes to the worker's system log, each line once.
import type { EndpointStatus, Observed } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { Store } from '@runyard/store'

export type StatusWriter = ReturnType<typeof createStatusWriter>

const REPEAT_EVERY_MS = 30_000

interface Written {
  readonly at: number
  readonly status: EndpointStatus
}

export function createStatusWriter({ store, log }: { readonly store: Store; readonly log: Logger }) {
  const written = new Map<string, Written>()

  async function writeOne(endpointId: string, status: EndpointStatus, now: number): Promise<void> {
    const before = written.get(endpointId)
    const isSame = before !== undefined && JSON.stringify(before.status) === JSON.stringify(status)
    if (isSame && now - before.at < REPEAT_EVERY_MS) return
    await store.status.put(endpointId, { at: now, ...status }, { quiet: isSame })
    written.set(endpointId, { at: now, status })
    const { reason, message, throttled, unhealthy } = status
    if (before?.status.message === message || reason === undefined) return
    log.warn({ endpointId, reason, throttled, unhealthy }, message)
    await store.events.append({ at: now, endpointId, kind: 'worker_throttled', reason, ...(message === undefined ? {} : { message }) })
  }

  return {
    async write(statuses: ReadonlyMap<string, EndpointStatus>, now: number): Promise<void> {
      for (const endpointId of written.keys()) if (!statuses.has(endpointId)) written.delete(endpointId)
      await Promise.all([...statuses].map(([endpointId, status]) => writeOne(endpointId, status, now)))
    },
  }
}

export type StartProgress = ReturnType<typeof createStartProgress>

export function createStartProgress({ store }: { readonly store: Pick<Store, 'workerLogs'> }) {
  let known = new Map<string, string>()
  return {
    note({ hosts }: Observed, now: number) {
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
