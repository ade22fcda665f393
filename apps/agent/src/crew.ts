// The jobs that share one runner child (ADR 75). If the child dies in the middle of several, none of them can be blamed: all are lost, and the gateway
// lets each run alone (ADR 34).
import { pause } from './backoff.ts'
import type { BoardNote } from './exit-message.ts'
import type { RunnerChild } from './runner-child.ts'

/** How long a job may take to stop where others go on. Then the child is killed, if all of its jobs are to be stopped. */
const STOP_LIMIT_MS = 2000

export type Crew = ReturnType<typeof createCrew>

export interface Death {
  readonly note: BoardNote
  readonly why: string
}

export function createCrew(child: RunnerChild) {
  const jobs = new Set<string>()
  const stopping = new Set<string>()
  let waiting: (() => void)[] = []
  let wantsFresh = false
  /** A job does not stop: it may block the others, and the child must be killed once they have ended. */
  let isStuck = false
  let isCondemned = false
  let death: ReturnType<Crew['bury']> | undefined
  return {
    /** False: the child has no room for it. */
    begin(jobId: string): boolean {
      const hasRoom = !isStuck && !isCondemned && jobs.size < child.slots
      if (hasRoom) jobs.add(jobId)
      return hasRoom
    },
    end(jobId: string) {
      jobs.delete(jobId)
      stopping.delete(jobId)
      if (child.slots > 1) child.forget(jobId)
      const wake = waiting
      waiting = []
      for (const resolve of wake) resolve()
    },
    /** Resolves when a job has ended. */
    async room(): Promise<void> {
      if (jobs.size > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      else await child.exited
    },
    /** False: the job goes on, and the child must be killed. `ended` resolves when the job ends by itself, or its child does. */
    async stop(jobId: string, ended: Promise<unknown>): Promise<boolean> {
      if (child.slots === 1) return false
      stopping.add(jobId)
      child.send({ kind: 'stop', id: jobId }, Buffer.alloc(0))
      while (!(await isOverWithin(STOP_LIMIT_MS, ended))) {
        isStuck = true
        isCondemned = stopping.size === jobs.size
        if (isCondemned) return false
      }
      isStuck &&= stopping.size > 1
      return true
    },
    /** A job asks for a fresh child. True as soon as no other job runs in this one. */
    isSpent(isWanted: boolean): boolean {
      wantsFresh ||= isWanted
      isCondemned ||= wantsFresh && jobs.size === 1
      return isCondemned
    },
    /** The child is dead: how it died, and whether several of its jobs were lost. */
    bury(read: () => Death): Death & { readonly isShared: boolean } {
      death ??= { ...read(), isShared: jobs.size - stopping.size > 1 }
      return death
    },
  }
}

async function isOverWithin(limitMs: number, ended: Promise<unknown>): Promise<boolean> {
  const limit = new AbortController()
  const isOver = await Promise.race([ended.then(() => true), pause(limitMs, limit.signal).then(() => false)])
  limit.abort()
  return isOver
}
