// Requests that wait for news. A ticket is opened before its owner reads, so that news between the read and the wait is never missed. Every wait is
// bounded by a deadline and ends at once when the client goes away or the gateway stops. News carries no content: it only causes another read.
export interface Ticket extends Disposable {
  /** Resolves on news since the last call, at `deadline` (epoch ms), or when the wait is pointless. True: read again. */
  next(deadline: number): Promise<boolean>
}

export type Waiters = ReturnType<typeof createWaiters>

interface Entry {
  news: boolean
  end: (() => void) | undefined
}

export function createWaiters() {
  const entries = createEntries()
  let closed = false
  let size = 0
  return {
    /** A ticket for news under any of the keys. `signal` aborts when the waiting client has gone. */
    open(keys: readonly string[], signal: AbortSignal): Ticket {
      const entry: Entry = { news: false, end: undefined }
      const abort = (): void => entry.end?.()
      for (const key of keys) entries.add(key, entry)
      size += 1
      signal.addEventListener('abort', abort)
      return {
        async next(deadline) {
          if (!entry.news && !signal.aborted && !closed) await waitFor(entry, deadline)
          const lookAgain = entry.news && !signal.aborted && !closed
          entry.news = false
          return lookAgain
        },
        [Symbol.dispose]() {
          signal.removeEventListener('abort', abort)
          for (const key of keys) entries.remove(key, entry)
          size -= 1
        },
      }
    },
    wake(key: string) {
      entries.wake(key)
    },
    /** Wakes all waits, or those for keys with this prefix. */
    wakeAll(prefix?: string) {
      entries.wakeAll(prefix)
    },
    get size() {
      return size
    },
    [Symbol.dispose]() {
      closed = true
      entries.wakeAll()
    },
  }
}

function createEntries() {
  const byKey = new Map<string, Set<Entry>>()
  const wakeEntry = (entry: Entry): void => {
    entry.news = true
    entry.end?.()
  }
  return {
    add(key: string, entry: Entry): void {
      const entries = byKey.get(key)
      if (entries === undefined) byKey.set(key, new Set([entry]))
      else entries.add(entry)
    },
    remove(key: string, entry: Entry): void {
      const entries = byKey.get(key)
      if (entries?.delete(entry) === true && entries.size === 0) byKey.delete(key)
    },
    wake(key: string): void {
      for (const entry of byKey.get(key) ?? []) wakeEntry(entry)
    },
    wakeAll(prefix = ''): void {
      for (const [key, entries] of byKey) if (key.startsWith(prefix)) for (const entry of entries) wakeEntry(entry)
    },
  }
}

async function waitFor(entry: Entry, deadline: number): Promise<void> {
  const left = deadline - Date.now()
  if (left <= 0) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      entry.end = undefined
      resolve()
    }
    const timer = setTimeout(end, left)
    entry.end = end
  })
}

export function endpointPrefix(endpointId: string): string {
  return `${endpointId}/`
}

/** News of a job's chunks and of its end. Endpoint ids have no `/`. */
export function jobKey(endpointId: string, jobId: string): string {
  return `${endpointId}/${jobId}`
}

/** News that a worker has taken the job. A key of its own, since few requests need it and each wake-up costs a read. */
export function startKey(endpointId: string, jobId: string): string {
  return `${endpointId}/${jobId}/start`
}

/** News of the workers that may answer requests of a load-balanced endpoint. */
export function rotationKey(endpointId: string): string {
  return `${endpointId}/rotation`
}
