// Prepares a host in the background: image, agent, network. Failure direction: a host that cannot be prepared gets no workers, and is retried.
import { setTimeout as delay } from 'node:timers/promises'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { HostDriver } from '@runyard/schema'

const FIRST_RETRY_MS = 2000
const LAST_RETRY_MS = 60_000
/** What an engine that answers needs to remove a container that was made for the preparation. */
const STOPS_WITHIN_MS = 3000

export interface Preparation {
  /** Resolves after the first try. */
  readonly first: Promise<void>
  /** Resolves when the try under way has cleared up behind itself, within seconds. */
  readonly stop: () => Promise<void>
}

/** Tries until it succeeds. Until then the host gets no workers; those that are there are watched all the same. */
export function prepareHost(
  { driver, log }: { readonly driver: HostDriver; readonly log: Logger },
  noteUnready: (why: string | undefined) => void,
): Preparation {
  const stop = new AbortController()
  const { signal } = stop
  let problem = ''
  const attempt = async (): Promise<boolean> => {
    try {
      const onProgress = (line: string): void => noteUnready(`is being prepared (${line})`)
      const { words } = await driver.prepare({ onProgress, signal })
      log.info({ host: driver.label }, `host is ready: ${words}`)
      noteUnready(undefined)
      return true
    } catch (error) {
      if (signal.aborted) return true
      if (sentenceOf(error) !== problem) log.warn({ host: driver.label, problem: sentenceOf(error) }, 'host cannot be prepared')
      problem = sentenceOf(error)
      noteUnready(`cannot be prepared: ${problem}`)
      return false
    }
  }
  const again = async (isDone: boolean): Promise<void> => {
    for (let pauseMs = FIRST_RETRY_MS; !isDone; pauseMs = Math.min(2 * pauseMs, LAST_RETRY_MS)) {
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
      isDone = signal.aborted || (await attempt())
    }
  }
  const first = attempt()
  const tries = first.then(again)
  return {
    first: first.then(() => undefined),
    async stop() {
      stop.abort()
      await Promise.race([tries, delay(STOPS_WITHIN_MS, undefined, { ref: false })])
    },
  }
}
