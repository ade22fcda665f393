// Limits how many operations on a host run at the same time; the others wait in order. Each host has a limit of its own, so that one that hangs holds up no
// other; and what is tried again on workers that do not end has a lower one beside it, since each such call takes as long as the engine lets it.

/** Runs `work` as soon as the limit that counts for it allows. */
export type Gate = <T>(limit: HostLimit, work: () => Promise<T>) => Promise<T>

/** Which of a host's two limits counts. */
export interface HostLimit {
  readonly hostId: string
  /** Of a worker that should have ended long ago. */
  readonly isUndying?: boolean
}

export interface GateLimits {
  readonly perHost: number
  readonly undyingPerHost: number
}

export function createGate({ perHost, undyingPerHost }: GateLimits): Gate {
  const turnstiles = new Map<string, Turnstile>()
  return async ({ hostId, isUndying = false }, work) => {
    const key = `${isUndying ? 'undying' : 'usual'} ${hostId}`
    const turnstile = turnstiles.get(key) ?? createTurnstile(isUndying ? undyingPerHost : perHost)
    turnstiles.set(key, turnstile)
    try {
      return await turnstile.run(work)
    } finally {
      if (turnstile.isIdle()) turnstiles.delete(key)
    }
  }
}

type Turnstile = ReturnType<typeof createTurnstile>

function createTurnstile(limit: number) {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
      else running += 1
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        // The place passes on; only without a next one is it given back.
        if (next === undefined) running -= 1
        else next()
      }
    },
    isIdle: (): boolean => running === 0,
  }
}
