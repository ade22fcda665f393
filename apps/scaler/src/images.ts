// Which images a host has, and pulling the others: one pull per host, image and credentials, however many workers wait for it. What was seen
// once is believed until a start fails. An image on a host is there for every endpoint, as on any Docker host.
import type { HostDriver, PullOptions } from '@runyard/schema'

export interface Images {
  /** Resolves when the image is on the host. @throws as `HostDriver.pullImage` where it cannot be had. */
  ensure(driver: HostDriver, image: string, options: PullOptions): Promise<void>
  /** The next `ensure` looks again. */
  forget(driver: HostDriver, image: string): void
}

interface Pull {
  readonly done: Promise<void>
  readonly listeners: Set<(line: string) => void>
  readonly stop: AbortController
}

export function createImages(): Images {
  const present = new Set<string>()
  const pulls = new Map<string, Pull>()

  function startPull(driver: HostDriver, image: string, { credentials, onProgress }: PullOptions): Pull {
    const listeners = new Set([onProgress])
    const stop = new AbortController()
    const tell = (line: string): void => {
      for (const listener of listeners) listener(line)
    }
    const pull: Pull = { done: driver.pullImage(image, { credentials, onProgress: tell, signal: stop.signal }), listeners, stop }
    pulls.set(pullKeyOf(driver, image, credentials), pull)
    return pull
  }

  return {
    async ensure(driver, image, options) {
      const { credentials, onProgress, signal } = options
      const key = keyOf(driver, image)
      const pullKey = pullKeyOf(driver, image, credentials)
      if (present.has(key)) return
      if (!pulls.has(pullKey) && (await driver.hasImage(image))) {
        present.add(key)
        return
      }
      const pull = pulls.get(pullKey) ?? startPull(driver, image, options)
      pull.listeners.add(onProgress)
      try {
        await Promise.race([pull.done, rejectOnAbort(signal)])
        present.add(key)
      } finally {
        pull.listeners.delete(onProgress)
        // The last one to leave clears up: what is still being pulled is wanted by nobody.
        if (pull.listeners.size === 0) {
          if (pulls.get(pullKey) === pull) pulls.delete(pullKey)
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
  return `${driver.label}\n${image}`
}

/** Who has no credentials, or others, waits for a pull of its own. */
function pullKeyOf(driver: HostDriver, image: string, credentials: PullOptions['credentials']): string {
  return JSON.stringify([keyOf(driver, image), credentials])
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
