// Which worker answers a request: one with a tunnel to this gateway, of the endpoint's version. As many workers share the requests as the endpoint's
// scaler would start for them, so that the others become idle and leave; among those one with the fewest, in turn. Without a worker the request waits.
import { isOutdated, keptWorkers, requestsPerWorker } from '@runyard/core'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { rotationKey } from '../parts/waiters.ts'
import type { Tunnels } from '../workers/tunnels.ts'
import type { WorkerSession } from '../workers/worker-session.ts'
import type { OpenRequests } from './open-requests.ts'

/** `X-Runpod-Worker-Id` of a request (management §11). */
export interface Affinity {
  readonly workerId: string
  /** Only that worker; else any, if it is gone. */
  readonly strict: boolean
}

export type Turn = ReturnType<typeof begin>

export interface Wish {
  readonly endpoint: Endpoint
  readonly affinity: Affinity | undefined
  /** Workers that the request has tried in vain. */
  readonly tried: ReadonlySet<string>
  /** Until when it may wait, epoch ms. */
  readonly deadline: number
  readonly signal: AbortSignal
}

export type RotationDeps = Pick<GatewayDeps, 'store' | 'endpoints' | 'waiters'> & {
  readonly tunnels: Tunnels
  readonly openRequests: OpenRequests
}

export function parseAffinity(header: string | string[] | undefined): Affinity | undefined {
  const [, strict, workerId = ''] = /^(strict(?:-resume)? +)?([\w-]{1,64})$/.exec(String(header ?? '').trim()) ?? []
  return workerId === '' ? undefined : { workerId, strict: strict !== undefined }
}

/** @throws RunyardError when no worker is there in time; undefined: the client has gone. */
export async function takeTurn(deps: RotationDeps, wish: Wish): Promise<Turn | undefined> {
  const found = choose(deps, wish.endpoint, wish)
  if (found !== undefined) return begin(deps, found)
  return waitForTurn(deps, wish)
}

async function waitForTurn(deps: RotationDeps, wish: Wish): Promise<Turn | undefined> {
  const { id } = wish.endpoint
  const release = deps.openRequests.hold(id)
  using ticket = deps.waiters.open([rotationKey(id)], wish.signal)
  try {
    for (;;) {
      const endpoint = await deps.endpoints.require(id)
      if (endpoint.settings.workersMax === 0) throw paused()
      await refuseGone(deps, wish)
      const found = choose(deps, endpoint, wish)
      if (found !== undefined) return begin(deps, found)
      if (!(await ticket.next(wish.deadline))) break
    }
  } finally {
    release()
  }
  if (wish.signal.aborted) return undefined
  throw await noWorker(deps, wish)
}

function begin({ openRequests }: RotationDeps, { endpointId, workerId }: WorkerSession) {
  return {
    workerId,
    /** The request has ended. */
    end: openRequests.begin(endpointId, workerId),
  }
}

function choose(deps: RotationDeps, endpoint: Endpoint, { affinity, tried }: Wish): WorkerSession | undefined {
  const serving = deps.tunnels.workersOf(endpoint.id).filter((session) => mayServe(session, endpoint))
  const own = affinity === undefined ? undefined : serving.find(({ workerId }) => workerId === affinity.workerId)
  if (own !== undefined && !tried.has(own.workerId)) return own
  if (affinity?.strict === true) return undefined
  const fresh = serving.filter(({ workerId }) => !tried.has(workerId))
  return leastBusy(deps.openRequests, sharing(deps.openRequests, endpoint, fresh))
}

function mayServe(session: WorkerSession, endpoint: Endpoint): boolean {
  return session.mayTakeJobs && session.record !== undefined && !isOutdated(session.record, endpoint)
}

/** The oldest ones, as many as these requests and the next one need. */
function sharing(openRequests: OpenRequests, { id, settings }: Endpoint, sessions: readonly WorkerSession[]): readonly WorkerSession[] {
  const needed = Math.ceil((openRequests.total(id) + 1) / requestsPerWorker(settings.scaling))
  const count = Math.max(needed, keptWorkers(settings, openRequests.perSecond(id)))
  if (count >= sessions.length) return sessions
  return sessions.toSorted((a, b) => (a.record?.createdAt ?? 0) - (b.record?.createdAt ?? 0)).slice(0, count)
}

function leastBusy(openRequests: OpenRequests, sessions: readonly WorkerSession[]): WorkerSession | undefined {
  let best: WorkerSession | undefined
  let fewest = Infinity
  const first = sessions[0] === undefined ? 0 : openRequests.begun(sessions[0].endpointId) % sessions.length
  for (const session of [...sessions.slice(first), ...sessions.slice(0, first)]) {
    const open = openRequests.openOf(session.endpointId, session.workerId)
    if (open >= fewest) continue
    best = session
    fewest = open
  }
  return best
}

async function refuseGone({ store }: RotationDeps, { endpoint, affinity }: Wish): Promise<void> {
  if (affinity?.strict !== true) return
  if ((await store.workers.get(endpoint.id, affinity.workerId)) === undefined) throw new RunyardError('not_found', 'affinity_worker_gone')
}

function paused(): RunyardError {
  return new RunyardError('gateway_timeout', 'the endpoint is paused: its maximum is 0 workers')
}

async function noWorker({ store }: RotationDeps, { endpoint, affinity }: Wish): Promise<RunyardError> {
  if (affinity?.strict === true) return new RunyardError('bad_request', 'worker_timeout')
  const status = await store.status.get(endpoint.id).catch(() => undefined)
  const why = status?.message === undefined ? '' : `: ${status.message}`
  return new RunyardError('gateway_timeout', `timed out waiting for worker${why}`)
}
