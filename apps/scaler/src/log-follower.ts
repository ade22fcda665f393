// Copies the output of running workers into the store, in batches. After a restart, or when a host was away, it continues after the last stored line;
// losing a follower costs only log lines.
import { setTimeout as delay } from 'node:timers/promises'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { HostDriver } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { createLogBatch } from './log-batch.ts'

export type LogFollower = ReturnType<typeof createLogFollower>

const FINISH_WITHIN_MS = 1000
const AGAIN_AFTER_MS = 5000

interface Following {
  readonly done: Promise<void>
  readonly stop: AbortController
}

export function createLogFollower({ store, log }: { readonly store: Pick<Store, 'workerLogs'>; readonly log: Logger }) {
  const followed = new Map<string, Following>()

  async function copy(driver: HostDriver, workerId: string, signal: AbortSignal): Promise<boolean> {
    const batch = createLogBatch((lines) => store.workerLogs.append(workerId, 'container', lines))
    let isDone = false
    try {
      const [last] = await store.workerLogs.read(workerId, 'container', 1)
      const sinceMs = last === undefined ? 0 : last.at + 0.001
      await driver.followLogs(workerId, { sinceMs, onLine: ({ at, line }) => batch.push({ at, line }), signal })
      isDone = true
    } catch (error) {
      if (!signal.aborted) log.debug({ workerId, problem: sentenceOf(error) }, 'log following ended early')
    }
    await batch.close().catch((error: unknown) => {
      log.debug({ workerId, problem: sentenceOf(error) }, 'log lines were not stored')
    })
    return isDone
  }

  /** While its host is away, the lines stay there. */
  async function copyUntilDone(driver: HostDriver, workerId: string, signal: AbortSignal): Promise<void> {
    while (!(await copy(driver, workerId, signal)) && !signal.aborted) {
      await delay(AGAIN_AFTER_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    /** Follows a worker until it ends; a second call for the same worker changes nothing. */
    follow(driver: HostDriver, workerId: string) {
      if (followed.has(workerId)) return
      const stop = new AbortController()
      followed.set(workerId, { stop, done: copyUntilDone(driver, workerId, stop.signal) })
    },
    /** Resolves when the output of an ended worker is stored. */
    async finish(workerId: string): Promise<void> {
      const following = followed.get(workerId)
      if (following === undefined) return
      followed.delete(workerId)
      const timer = setTimeout(() => following.stop.abort(), FINISH_WITHIN_MS)
      await following.done
      clearTimeout(timer)
    },
    async [Symbol.asyncDispose]() {
      for (const { stop } of followed.values()) stop.abort()
      await Promise.all([...followed.values()].map(({ done }) => done))
    },
  }
}
