// Standby workers of a process host (ADR 56): processes in which our agent and Python run and wait for an endpoint. The start of a worker that has the id of
// one then only hands over the environment, its cards included. Until then the driver does not list it. One whose driver ended ends with it, because its
// input ends.
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { createStandbyPool, sentenceOf, type StandbyPool } from '@runyard/kit'
import type { WorkerLaunch } from '@runyard/schema'

export interface ProcessStandbys extends Pick<StandbyPool<ParkedProcess>, 'keep' | 'holds' | 'problem'>, AsyncDisposable {
  /** The id of one that runs, given once. */
  readonly take: () => string | undefined
  /** The input of a worker that was given, once. */
  readonly takeInput: (workerId: string) => Writable | undefined
  readonly count: () => number
}

export interface ParkedProcess {
  /** The worker reads its environment from it. */
  readonly input: Writable
  readonly ended: Promise<unknown>
}

export interface StandbysOptions {
  readonly park: (launch: WorkerLaunch) => Promise<ParkedProcess>
  readonly remove: (workerId: string) => Promise<void>
  readonly warn: (message: string) => void
  /** After a start its first job needs the processors; default: two seconds. */
  readonly quietMs?: number | undefined
}

export function createProcessStandbys({ park, remove, warn, quietMs = 2000 }: StandbysOptions): ProcessStandbys {
  const given = new Map<string, ParkedProcess>()
  let takenAt = 0
  const pool = createStandbyPool<ParkedProcess>({
    async start(launch) {
      const parked = await park(launch)
      void parked.ended.then(() => {
        if (pool.holds(launch.workerId)) pool.letGo([launch.workerId])
        return undefined
      })
      return parked
    },
    release: ({ input }) => void input.end(),
    remove,
    quiet: (signal) => delay(takenAt + quietMs - Date.now(), undefined, { ref: false, signal }),
    wordsOf: sentenceOf,
    warn,
  })
  return {
    ...pool,
    take() {
      const [[id, parked] = []] = pool.running()
      if (id === undefined || parked === undefined) return undefined
      pool.give(id)
      given.set(id, parked)
      takenAt = Date.now()
      pool.fill()
      return id
    },
    takeInput(workerId) {
      const input = given.get(workerId)?.input
      given.delete(workerId)
      return input
    },
    count: () => pool.running().length,
  }
}
