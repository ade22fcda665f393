// Which workers yield because a wanted worker of another endpoint fits nowhere (ADR 40). Idle workers that their endpoint does not keep are
// retired at once; busy ones retire after their job if their endpoint has more than its share. Placement decides whether a retirement would help.
// Failure direction: a job waits longer. It never goes below what an endpoint keeps, never stops a job, and never retires more workers than needed.
import { grantInTurns } from './fair-turns.ts'
import { cardsIn } from './gpu-budget.ts'
import { createGpuRanker } from './gpu-request.ts'
import { shareOf, type WorkerHolding } from './holdings.ts'
import { openHosts } from './open-hosts.ts'
import { place, type OpenHost, type Placed } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { KeyRoom } from './key-limits.ts'
import { askedOf, placedSpecOf, takenFor, toHolding, type Taken, type Want } from './plan-growth.ts'
import { isThere } from './plan-workers.ts'
import type { WorkerView } from './worker-view.ts'
import {
  byRank,
  idleOnes,
  onesPastTheirTurn,
  SHORTEST_TURN_MS,
  type Candidate,
  type Choose,
  type Claimant,
  type Line,
  type ReadyWorker,
} from './yield-candidates.ts'

/** Limits the number of workers that get room in one round, so that a tick stays short in a large pool; the next tick continues. */
const MOST_AT_ONCE = 32

interface Room extends Line {
  readonly claimants: readonly Claimant[]
  readonly hosts: readonly OpenHost[]
  /** By host: without leaving workers, with promised ones. */
  readonly holdings: Map<string, readonly WorkerHolding[]>
  /** Cards that no further worker with a budget joins. */
  readonly kept: readonly WorkerHolding[]
  /** Room under the limits of API keys, in the same state. */
  readonly keys: KeyRoom
  /** Of volumes that had no store before this plan. */
  readonly stores: ReadonlyMap<string, string>
  /** Ids of the workers that are left out so far. */
  readonly gone: Set<string>
  /** Claimants (`asked`) that fit nowhere in the current holdings. */
  readonly noRoom: Set<string>
  /** How many more workers may get room in this round. */
  left: number
  /** Who may give room in this round; looked up when the first claimant finds none. */
  givers: readonly Claimant[] | undefined
}

/** Adds the retirements. Returns, per want, for how many workers there is room now or soon. */
export function planYields(
  wants: readonly Want[],
  { holdings, kept, keys, stores }: Taken,
  builder: PlanBuilder,
): ReadonlyMap<Want, number> {
  const { shutdown, planeUpSince } = builder.observed
  // While workers cannot report, a new worker could not take the job.
  if (shutdown || planeUpSince === undefined || wants.every(({ missing }) => missing === 0)) return new Map()
  const retired = new Set(builder.actions.flatMap((action) => (action.kind === 'drain' ? [action.workerId] : [])))
  const claimants = wants.map((want) => toClaimant(want, retired))
  const byHost = Map.groupBy(holdings, ({ hostId }) => hostId)
  const priorities = claimants.filter(waits).map(({ want }) => want.endpoint.settings.priority ?? 1)
  const lowestPriority = Math.min(...priorities)
  const taken = { holdings: new Map(byHost), kept, keys, stores, gone: new Set<string>() }
  const room: Room = {
    claimants,
    hosts: openHosts(builder),
    builder,
    lowestPriority,
    ...taken,
    noRoom: new Set(),
    left: 0,
    givers: undefined,
  }
  giveRoom(room, { asking: claimants, isNear: (worker) => worker.leases.length + worker.openRequests === 0, choose: idleOnes })
  const inLine = claimants.filter((claimant) => mayAskForTurn(claimant, builder))
  giveRoom(room, { asking: inLine, isNear: () => true, choose: onesPastTheirTurn })
  return new Map(claimants.map(({ want, missing }) => [want, want.missing - missing]))
}

function toClaimant(want: Want, retired: ReadonlySet<string>): Claimant {
  const isLeaving = (worker: WorkerView) => worker.phase === 'draining' || worker.inFlight || retired.has(worker.record.id)
  const [leaving, others] = [want.workers.filter(isLeaving), want.workers.filter((worker) => !isLeaving(worker))]
  const staying = others.filter(isReady).filter(isThere)
  const { gpu } = want.endpoint.spec
  const rankOf = gpu === null ? undefined : createGpuRanker(gpu)
  return {
    want,
    share: want.share,
    missing: want.missing,
    since: want.since,
    leaving,
    staying,
    hasYielded: false,
    rankOf,
    asked: `${want.endpoint.keyId ?? ''} ${askedOf(want)}`,
  }
}

const isReady = (worker: WorkerView): worker is ReadyWorker => worker.record.readyAt !== undefined

interface Round {
  readonly asking: readonly Claimant[]
  /** Which leaving workers already count as room, so that no further worker retires for the same job. */
  readonly isNear: (worker: WorkerView) => boolean
  readonly choose: Choose
}

function giveRoom(room: Room, { asking, isNear, choose }: Round): void {
  leaveOut(
    room,
    room.claimants.flatMap((owner) => owner.leaving.filter(isNear).map((worker) => ({ worker, owner }))),
  )
  room.left = MOST_AT_ONCE
  room.givers = undefined
  grantInTurns(asking, (claimant) => makeRoom(claimant, room, choose))
}

type Leaver = Pick<Candidate, 'worker' | 'owner'>

function leaveOut(room: Room, leavers: readonly Leaver[]): void {
  room.noRoom.clear()
  for (const { worker, owner } of leavers) {
    const { record, fate } = worker
    if (fate.kind === 'dead' || room.gone.has(record.id)) continue
    room.gone.add(record.id)
    room.keys.add(owner.want.endpoint, -1)
  }
  for (const [hostId, gone] of Map.groupBy(leavers, ({ worker }) => worker.record.hostId))
    room.holdings.set(hostId, withoutWorkers(holdingsOn(hostId, room), gone))
}

const holdingsOn = (hostId: string, { holdings }: Room): readonly WorkerHolding[] => holdings.get(hostId) ?? []

function withoutWorkers(holdings: readonly WorkerHolding[], leavers: readonly Leaver[]): readonly WorkerHolding[] {
  const ids = new Set<string | undefined | null>(leavers.map(({ worker }) => worker.record.id))
  return ids.size === 0 ? holdings : holdings.filter(({ workerId }) => !ids.has(workerId))
}

const waits = ({ since, missing }: Claimant): boolean => missing > 0 && Number.isFinite(since)

/** Only for waiting jobs, and not right after one of the claimant's own workers yielded. */
function mayAskForTurn(claimant: Claimant, builder: PlanBuilder): boolean {
  const { view } = claimant.want
  return waits(claimant) && (view.yieldedAt === 0 || builder.isDue(view.yieldedAt + SHORTEST_TURN_MS))
}

/** Makes room for one worker of `asking` by retiring as few workers as possible; returns its share, or undefined if that is impossible. */
function makeRoom(asking: Claimant, room: Room, choose: Choose): number | undefined {
  // An endpoint that yields in this plan makes no other endpoint yield.
  if (asking.hasYielded || room.left === 0) return undefined
  const best = findRoom(asking, room) ?? findWay(asking, room, choose)
  if (best === undefined) return undefined
  room.left -= 1
  return giveWay(best, asking, room)
}

interface Way {
  readonly going: readonly Candidate[]
  readonly placed: Placed
}

function findRoom(asking: Claimant, room: Room): Way | undefined {
  if (room.noRoom.has(asking.asked)) return undefined
  for (const host of room.hosts) {
    const placed = placeAfter(asking, { host, gone: [], room })
    if (placed !== undefined) return { going: [], placed }
  }
  room.noRoom.add(asking.asked)
  return undefined
}

/** Tries the host of the first candidate first, and stops there if that candidate alone is enough. */
function findWay(asking: Claimant, room: Room, choose: Choose): Way | undefined {
  const givers = (room.givers ??= room.claimants.filter((owner) => choose.mayGive(owner, room)))
  const owners = givers.filter((owner) => owner !== asking)
  if (!room.keys.hasRoom(asking.want.endpoint)) return findWayUnderKey(asking, room, { owners, choose })
  const candidates = owners.flatMap((owner) => choose.candidates(owner, asking, room)).toSorted(byRank)
  let best: Way | undefined
  for (const [hostId, here] of Map.groupBy(candidates, ({ worker }) => worker.record.hostId)) {
    const host = room.hosts.find((candidate) => candidate.hostId === hostId)
    const found = host === undefined ? undefined : wayOn(host, here, { asking, room })
    if (found !== undefined && (best === undefined || found.going.length < best.going.length)) best = found
    if (best?.going.length === 1) return best
  }
  return best
}

function wayOn(host: OpenHost, here: readonly Candidate[], { asking, room }: { asking: Claimant; room: Room }): Way | undefined {
  const going = fewestThatHelp(here, (gone) => placeAfter(asking, { host, gone, room }) !== undefined)
  const placed = going === undefined ? undefined : placeAfter(asking, { host, gone: going, room })
  return going === undefined || placed === undefined ? undefined : { going, placed }
}

/** The limit of its key stands in the way: one worker of the same key goes, on whichever host and whatever it holds. */
function findWayUnderKey(
  asking: Claimant,
  room: Room,
  { owners, choose }: { readonly owners: readonly Claimant[]; readonly choose: Choose },
): Way | undefined {
  const key = room.keys.keyOf(asking.want.endpoint)
  const ofKey = owners.filter((owner) => room.keys.keyOf(owner.want.endpoint) === key)
  const candidates = ofKey.flatMap((owner) => choose.candidates(owner, { ...asking, rankOf: undefined }, room)).toSorted(byRank)
  for (const candidate of candidates) {
    for (const host of room.hosts) {
      const placed = placeAfter(asking, { host, gone: [candidate], room })
      if (placed !== undefined) return { going: [candidate], placed }
    }
  }
  return undefined
}

interface Clearing {
  readonly host: OpenHost
  readonly gone: readonly Candidate[]
  readonly room: Room
}

function placeAfter({ want }: Claimant, { host, gone, room }: Clearing): Placed | undefined {
  const key = room.keys.keyOf(want.endpoint)
  const leaving = gone.filter(({ owner }) => key !== undefined && room.keys.keyOf(owner.want.endpoint) === key).length
  if (!room.keys.hasRoom(want.endpoint, leaving)) return undefined
  const holdings = withoutWorkers(holdingsOn(host.hostId, room), gone)
  const placement = place(placedSpecOf(want, room), [host], takenFor(want.endpoint, holdings, room.kept))
  return placement.kind === 'placed' ? placement : undefined
}

/** The first candidates that make room, without those that are not needed. Needs log(n) placements per worker found. */
function fewestThatHelp(candidates: readonly Candidate[], fits: (gone: readonly Candidate[]) => boolean): readonly Candidate[] | undefined {
  // Nearly always one GPU for another.
  const first = candidates.slice(0, 1)
  if (first.length === 1 && fits(first)) return first
  if (!fits(candidates)) return undefined
  const found: Candidate[] = []
  let rest = candidates
  while (rest.length > 0 && !fits(found)) {
    const count = smallestThat(rest.length, (size) => fits([...found, ...rest.slice(0, size)]))
    found.push(...rest.slice(count - 1, count))
    rest = rest.slice(0, count - 1)
  }
  return found
}

/** Binary search for the smallest size in 1…most that suffices. */
function smallestThat(most: number, does: (size: number) => boolean): number {
  let low = 1
  let high = most
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (does(middle)) high = middle
    else low = middle + 1
  }
  return low
}

function giveWay({ going, placed }: Way, asking: Claimant, room: Room): number {
  for (const { worker, owner } of going.toSorted(byRank)) {
    const { id: workerId, endpointId, hostId } = worker.record
    owner.staying = owner.staying.filter((other) => other !== worker)
    owner.leaving = [...owner.leaving, worker]
    owner.share -= shareOf(cardsIn(worker.record.gpus), owner.want.endpoint)
    owner.hasYielded = true
    room.builder.add({ kind: 'drain', endpointId, workerId, hostId, reason: 'yielded' })
  }
  leaveOut(room, going)
  room.keys.add(asking.want.endpoint, 1)
  room.holdings.set(placed.hostId, [...holdingsOn(placed.hostId, room), toHolding(placed)])
  return shareOf(cardsIn(placed.gpus), asking.want.endpoint)
}
