// State that the scaler keeps between ticks and may lose: after a restart a failed start is retried early, a stuck worker is retired by its idle
// timeout, expired jobs are swept at once. All other state is in Redis or on the hosts.
import type { HostRest } from '@runyard/schema'
import { addFailure, type StartFailure, type StartFailures, type StopRequest } from '@runyard/core'
import type { HostLimit } from './gate.ts'

/** Long after SIGKILL: it holds a GPU in the kernel. */
const UNDYING_AFTER_MS = 60_000

export interface WorkerXid {
  readonly at: number
  /** One sentence without its stop. */
  readonly message: string
}

/** What ends a worker later has other causes. */
const XID_COUNTS_MS = 300_000
/** A stop takes its grace and a kill. */
const OVERDUE_AFTER_MS = 30_000

export interface Memory {
  failuresOf(endpointId: string): StartFailures | undefined
  addFailure(endpointId: string, failure: StartFailure): void
  forgetFailures(endpointId: string): void
  readonly stopRequests: ReadonlyMap<string, StopRequest>
  /** An execution timeout outweighs the cancel signal that it causes itself. */
  noteStopRequest(workerId: string, request: StopRequest): void
  /** A worker is being killed; the first time counts. */
  noteStop(workerId: string, at: number): void
  /** A line of the kernel about a card of the worker. */
  noteXid(workerId: string, xid: WorkerXid): void
  /** The latest one, if it is not old. */
  xidOf(workerId: string, now: number): string | undefined
  /** Where what is done to a worker waits for its turn. */
  limitOf(worker: { readonly id: string; readonly hostId: string }): HostLimit
  /** Workers that were to be dead for a while. */
  undying(now: number): ReadonlySet<string>
  sweptAt(endpointId: string): number
  noteSweep(endpointId: string, at: number): void
  /** When a worker of the endpoint last gave way; 0: never. Forgotten, it costs others one turn. */
  yieldedAt(endpointId: string): number
  noteYield(endpointId: string, at: number): void
  /** The rest of a host, as of the last look. */
  restOf(hostId: string): HostRest | undefined
  noteRests(rests: ReadonlyMap<string, { readonly rest?: HostRest | undefined }>): void
  /** Forgets what belongs to neither of these. */
  retain(known: { readonly endpointIds: ReadonlySet<string>; readonly workerIds: ReadonlySet<string> }): void
}

export function createMemory(): Memory {
  const failures = new Map<string, StartFailures>()
  const stopRequests = new Map<string, StopRequest>()
  const stops = new Map<string, number>()
  const xids = new Map<string, WorkerXid>()
  const sweeps = new Map<string, number>()
  const yields = new Map<string, number>()
  let rests: ReadonlyMap<string, { readonly rest?: HostRest | undefined }> = new Map()
  return {
    failuresOf: (endpointId) => failures.get(endpointId),
    addFailure(endpointId, failure) {
      failures.set(endpointId, addFailure(failures.get(endpointId), failure))
    },
    forgetFailures: (endpointId) => void failures.delete(endpointId),
    stopRequests,
    noteStopRequest(workerId, request) {
      if (request.why === 'cancel' && stopRequests.get(workerId)?.why === 'timeout') return
      stopRequests.set(workerId, request)
    },
    noteStop(workerId, at) {
      if (!stops.has(workerId)) stops.set(workerId, at)
    },
    noteXid(workerId, xid) {
      xids.set(workerId, xid)
    },
    xidOf(workerId, now) {
      const xid = xids.get(workerId)
      return xid === undefined || now - xid.at > XID_COUNTS_MS ? undefined : xid.message
    },
    limitOf: ({ id, hostId }) => ({ hostId, isUndying: Date.now() - (stops.get(id) ?? Infinity) > OVERDUE_AFTER_MS }),
    undying: (now) => new Set([...stops].flatMap(([workerId, at]) => (now - at > UNDYING_AFTER_MS ? [workerId] : []))),
    sweptAt: (endpointId) => sweeps.get(endpointId) ?? 0,
    noteSweep(endpointId, at) {
      sweeps.set(endpointId, at)
    },
    yieldedAt: (endpointId) => yields.get(endpointId) ?? 0,
    noteYield(endpointId, at) {
      yields.set(endpointId, at)
    },
    restOf: (hostId) => rests.get(hostId)?.rest,
    noteRests(seen) {
      rests = seen
    },
    retain({ endpointIds, workerIds }) {
      for (const map of [failures, sweeps, yields]) for (const id of map.keys()) if (!endpointIds.has(id)) map.delete(id)
      for (const map of [stopRequests, stops, xids]) for (const id of map.keys()) if (!workerIds.has(id)) map.delete(id)
    },
  }
}
