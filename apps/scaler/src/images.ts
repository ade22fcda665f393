// Which images a host has, and pulling the others: one pull per host and image, however many workers wait for it. What was seen once is
// believed until a start fails.
import type { HostDriver } from '@runyard/schema'

export interface Images {
  /** Resolves when the image is on the host. @throws RunyardError('not_found') where it cannot be had. */
  ensure(driver: HostDriver, image: string, options: EnsureOptions): Promise<void>
  /** The next `ensure` looks again. */
  forget(driver: HostDriver, image: string): void
}

export interface EnsureOptions {
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

interface Pull {
  readonly done: Promise<void>
  readonly listeners: Set<(line: string) => void>
  readonly stop: AbortController
}

export function createImages(): Images {
  const present = new Set<string>()
  const pulls = new Map<string, Pull>()

  function startPull(driver: HostDriver, image: string, onProgress: (line: string) => void): Pull {
    const listeners = new Set([onProgress])
    const stop = new AbortController()
    const tell = (line: string): void => {
      for (const listener of listeners) listener(line)
    }
    const pull: Pull = { done: driver.pullImage(image, tell, stop.signal), listeners, stop }
    pulls.set(keyOf(driver, image), pull)
    return pull
  }

  return {
    async ensure(driver, image, { onProgress, signal }) {
      const key = keyOf(driver, image)
      if (present.has(key)) return
      if (!pulls.has(key) && (await driver.hasImage(image))) {
        present.add(key)
        return
      }
      const pull = pulls.get(key) ?? startPull(driver, image, onProgress)
      pull.listeners.add(onProgress)
      try {
        await Promise.race([pull.done, rejectOnAbort(signal)])
        present.add(key)
      } finally {
        pull.listeners.delete(onProgress)
        // The last one to leave clears up: what is still being pulled is wanted by nobody.
        if (pull.listeners.size === 0) {
          if (pulls.get(key) === pull) pulls.delete(key)
          pull.stop.abort()
        }
      }
    },
    forget(driver, image) {
      present.delete(keyOf(driver, image))
    },
  }
}

function keyOf(driver: HostDriver, image: string): string {
  return `${driver.hostId}\n${image}`
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const fail = (): void => {
    reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  }
  if (signal.aborted) fail()
  else signal.addEventListener('abort', fail, { once: true })
  // The winner of a race leaves this one unheard.
  promise.catch(() => undefined)
  return promise
}
