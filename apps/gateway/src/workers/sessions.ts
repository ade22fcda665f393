// The sessions of the workers that talk to this gateway: opens one when a worker first shows its token, reads its record again when that changes, and
// answers the polls of a worker that is leaving and holds no job. A token is good for its own endpoint and worker id alone.
import type { Logger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { bearerOf } from '../http/authenticate.ts'
import { isSameSecret } from '../http/same-secret.ts'
import { WorkerSession, type WorkerAddress } from './worker-session.ts'
import { couldBeWorker } from './wrong-key-polls.ts'

/** The polls of a worker that is leaving are answered this long after it is known to hold no job (worker-api §11.3). */
const RELEASE_AFTER_MS = 300
const FORGET_UNSEEN_MS = 600_000
const SWEEP_EVERY_MS = 60_000

export interface WorkerSessions extends Disposable {
  /** The session behind a request. @throws RunyardError('unauthorized') when the token is not this worker's. */
  enter(who: WorkerAddress, authorization: string | undefined): Promise<WorkerSession>
  find(workerId: string): WorkerSession | undefined
  /** Reads the worker's record again, if the worker talks to this gateway. */
  refresh(who: WorkerAddress): Promise<void>
  refreshAll(): Promise<void>
  /** Orders a job to be stopped; the worker gets the order once. */
  orderStop(who: WorkerAddress, jobId: string): void
  /** Polls that are held for work. */
  readonly heldTakes: number
}

type WorkerReads = Pick<Store, 'workers' | 'jobs' | 'workerToken'>
type Sessions = Map<string, WorkerSession>

export function createWorkerSessions({ store, log }: { store: WorkerReads; log: Logger }): WorkerSessions {
  const sessions: Sessions = new Map()
  const sweeper = setInterval(() => {
    forgetUnseen(sessions)
  }, SWEEP_EVERY_MS).unref()

  function releaseWhenFree(session: WorkerSession): void {
    if (!session.isLeaving) return
    setTimeout(() => {
      releaseIfFree(store, session).catch((error: unknown) => {
        log.warn({ err: error, workerId: session.workerId }, 'could not see whether a leaving worker holds jobs')
      })
    }, RELEASE_AFTER_MS).unref()
  }

  async function refresh(who: WorkerAddress): Promise<void> {
    const session = sessions.get(keyOf(who))
    if (session === undefined) return
    const couldTake = session.mayTakeJobs
    await session.refresh(() => store.workers.get(who.endpointId, who.workerId))
    if (session.record === undefined) sessions.delete(keyOf(who))
    // Its next poll, which comes at once, reads the queue.
    if (!couldTake && session.mayTakeJobs) session.answerTakes()
    releaseWhenFree(session)
  }

  return {
    enter: createEnter(store, sessions),
    find: (workerId) => [...sessions.values()].find((session) => session.workerId === workerId),
    refresh,
    async refreshAll() {
      await Promise.all([...sessions.values()].map((session) => refresh(session)))
    },
    orderStop(who, jobId) {
      sessions.get(keyOf(who))?.orderStop(jobId)
    },
    get heldTakes() {
      let held = 0
      for (const session of sessions.values()) held += session.heldTakes
      return held
    },
    [Symbol.dispose]() {
      clearInterval(sweeper)
      for (const session of sessions.values()) session.answerPolls()
    },
  }
}

/** A worker's first requests arrive within milliseconds of each other: they share one look-up. */
function createEnter(store: WorkerReads, sessions: Sessions): WorkerSessions['enter'] {
  const opening = new Map<string, Promise<WorkerSession>>()
  const recordOf = ({ endpointId, workerId }: WorkerAddress) => store.workers.get(endpointId, workerId)

  async function tokenOf(who: WorkerAddress): Promise<string> {
    if (!couldBeWorker(who)) throw new RunyardError('unauthorized', 'unauthorized: there is no such worker')
    return store.workerToken(who.endpointId, who.workerId)
  }

  async function open(who: WorkerAddress, token: string): Promise<WorkerSession> {
    const session = new WorkerSession({ ...who, token })
    session.learn(await recordOf(who))
    sessions.set(keyOf(who), session)
    return session
  }

  return async (who, authorization) => {
    const key = keyOf(who)
    const token = sessions.get(key)?.token ?? (await tokenOf(who))
    checkToken(token, authorization)
    const known = sessions.get(key)
    if (known !== undefined) {
      known.seenAt = Date.now()
      if (known.record === undefined) known.learn(await recordOf(who))
      return known
    }
    const promise = opening.get(key) ?? open(who, token)
    opening.set(key, promise)
    return promise.finally(() => opening.delete(key))
  }
}

function forgetUnseen(sessions: Sessions): void {
  const limit = Date.now() - FORGET_UNSEEN_MS
  for (const [key, session] of sessions) if (session.seenAt < limit && session.heldTakes + session.tunnels === 0) sessions.delete(key)
}

async function releaseIfFree(store: WorkerReads, session: WorkerSession): Promise<void> {
  if (!session.isLeaving) return
  const leases = await store.jobs.leases(session.endpointId)
  if (!leases.some(({ workerId }) => workerId === session.workerId)) session.release()
}

function keyOf({ endpointId, workerId }: WorkerAddress): string {
  return `${endpointId}/${workerId}`
}

/** Raw or `Bearer` (worker-api §3). */
function checkToken(token: string, authorization: string | undefined): void {
  if (isSameSecret(bearerOf(authorization) ?? '', token)) return
  throw new RunyardError('unauthorized', 'unauthorized: this is not the token of this worker')
}
