// Which workers yield because a wanted worker of another endpoint fits nowhere (ADR 40). Idle workers above their endpoint's minimum are retired
// at once; busy ones retire after their job if their endpoint has more than its share. Placement decides whether a retirement would help.
// Failure direction: a job waits longer. It never goes below a minimum, never stops a job, and never retires more workers than needed.
import type { Endpoint } from '@runyard/schema'
import { grantInTurns, type Claim } from './fair-turns.ts'
import { createGpuRanker } from './gpu-request.ts'
import { shareOf, type WorkerHolding } from './holdings.ts'
import { openHosts } from './open-hosts.ts'
import { place, type OpenHost, type Placed } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { askedOf, toHolding, type Want } from './plan-growth.ts'
import { isThere } from './plan-workers.ts'
import { idleSince } from './worker-facts.ts'
import type { WorkerView } from './worker-view.ts'

/** A worker yields to a queue only after this many times the duration of its own start, so that most of the time is work. */
const TURN_PER_START = 2
/** The shortest turn, and the shortest time between yielding and making another endpoint yield. */
export const SHORTEST_TURN_MS = 5000
/** Limits the number of workers that get room in one round, so that a tick stays short in a large pool; the next tick continues. */
const MOST_AT_ONCE = 32

interface Claimant extends Claim {
  readonly want: Want
  /** Ready workers that are not leaving. */
  staying: readonly WorkerView[]
  leaving: readonly WorkerView[]
  hasYielded: boolean
  /** Undefined: its workers have no GPUs. */
  readonly rankOf: ReturnType<typeof createGpuRanker> | undefined
  /** Equal for claimants whose placements are equivalent. */
  readonly asked: string
}

interface Candidate {
  readonly worker: WorkerView
  readonly owner: Claimant
  /** Lower goes first. */
  readonly rank: readonly [number, number]
}

interface Room {
  readonly claimants: readonly Claimant[]
  readonly hosts: readonly OpenHost[]
  readonly builder: PlanBuilder
  /** By host: without leaving workers, with promised ones. */
  readonly holdings: Map<string, readonly WorkerHolding[]>
  /** Claimants (`asked`) that fit nowhere in the current holdings. */
  readonly noRoom: Set<string>
  /** How many more workers may get room in this round. */
  left: number
}

/** Adds the retirements. Returns, per want, for how many workers there is room now or soon. */
export function planYields(wants: readonly Want[], holdings: readonly WorkerHolding[], builder: PlanBuilder): ReadonlyMap<Want, number> {
  const { shutdown, planeUpSince } = builder.observed
  // While workers cannot report, a new worker could not take the job.
  if (shutdown || planeUpSince === undefined || wants.every(({ missing }) => missing === 0)) return new Map()
  const retired = new Set(builder.actions.flatMap((action) => (action.kind === 'drain' ? [action.workerId] : [])))
  const claimants = wants.map((want) => toClaimant(want, retired))
  const byHost = Map.groupBy(holdings, ({ hostId }) => hostId)
  const room: Room = { claimants, hosts: openHosts(builder), builder, holdings: new Map(byHost), noRoom: new Set(), left: 0 }
  giveRoom(room, { asking: claimants, isNear: (worker) => worker.leases.length === 0, choose: idleOnes })
  const inLine = claimants.filter((claimant) => mayAskForTurn(claimant, builder))
  giveRoom(room, { asking: inLine, isNear: () => true, choose: onesPastTheirTurn })
  return new Map(claimants.map(({ want, missing }) => [want, want.missing - missing]))
}

function toClaimant(want: Want, retired: ReadonlySet<string>): Claimant {
  const isLeaving = (worker: WorkerView) => worker.phase === 'draining' || worker.inFlight || retired.has(worker.record.id)
  const [leaving, others] = [want.workers.filter(isLeaving), want.workers.filter((worker) => !isLeaving(worker))]
  const staying = others.filter((worker) => worker.record.readyAt !== undefined && isThere(worker))
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
    asked: askedOf(want.endpoint),
  }
}

interface Round {
  readonly asking: readonly Claimant[]
  /** Which leaving workers already count as room, so that no further worker retires for the same job. */
  readonly isNear: (worker: WorkerView) => boolean
  readonly choose: Choose
}

function giveRoom(room: Room, { asking, isNear, choose }: Round): void {
  leaveOut(
    room,
    room.claimants.flatMap(({ leaving }) => leaving.filter(isNear)),
  )
  room.left = MOST_AT_ONCE
  grantInTurns(asking, (claimant) => makeRoom(claimant, room, choose))
}

function leaveOut(room: Room, workers: readonly WorkerView[]): void {
  room.noRoom.clear()
  for (const [hostId, gone] of Map.groupBy(workers, ({ record }) => record.hostId))
    room.holdings.set(hostId, withoutWorkers(room.holdings.get(hostId) ?? [], gone))
}

function withoutWorkers(holdings: readonly WorkerHolding[], workers: readonly WorkerView[]): readonly WorkerHolding[] {
  const ids = new Set<string | undefined | null>(workers.map(({ record }) => record.id))
  return ids.size === 0 ? holdings : holdings.filter(({ workerId }) => !ids.has(workerId))
}

/** Only for waiting jobs, and not right after one of the claimant's own workers yielded. */
function mayAskForTurn({ want: { view }, since, missing }: Claimant, builder: PlanBuilder): boolean {
  return missing > 0 && Number.isFinite(since) && (view.yieldedAt === 0 || builder.isDue(view.yieldedAt + SHORTEST_TURN_MS))
}

type Choose = (owner: Claimant, asking: Claimant, room: Room) => readonly Candidate[]

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
  const candidates = room.claimants.flatMap((owner) => (owner === asking ? [] : choose(owner, asking, room))).toSorted(byRank)
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

interface Clearing {
  readonly host: OpenHost
  readonly gone: readonly Candidate[]
  readonly room: Room
}

function placeAfter({ want }: Claimant, { host, gone, room }: Clearing): Placed | undefined {
  const holdings = withoutWorkers(
    room.holdings.get(host.hostId) ?? [],
    gone.map(({ worker }) => worker),
  )
  const placement = place(want.endpoint.spec, [host], holdings)
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
  while (!fits(found)) {
    const count = smallestThat(rest.length, (size) => fits([...found, ...rest.slice(0, size)]))
    const needed = rest[count - 1]
    if (needed === undefined) return undefined
    found.push(needed)
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

function byRank(a: Candidate | undefined, b: Candidate | undefined): number {
  const [first = 0, second = 0] = a?.rank ?? []
  const [otherFirst = 0, otherSecond = 0] = b?.rank ?? []
  return first - otherFirst || second - otherSecond
}

function giveWay({ going, placed }: Way, asking: Claimant, room: Room): number {
  for (const { worker, owner } of going.toSorted(byRank)) {
    const { id: workerId, endpointId, hostId } = worker.record
    owner.staying = owner.staying.filter((other) => other !== worker)
    owner.leaving = [...owner.leaving, worker]
    owner.share -= shareOf(worker.record.gpus.length, owner.want.endpoint)
    owner.hasYielded = true
    room.builder.add({ kind: 'drain', endpointId, workerId, hostId, reason: 'yielded' })
  }
  leaveOut(
    room,
    going.map(({ worker }) => worker),
  )
  room.holdings.set(placed.hostId, [...(room.holdings.get(placed.hostId) ?? []), toHolding(placed)])
  return shareOf(placed.gpus.length, asking.want.endpoint)
}

/** Idle workers that their endpoint needs neither for its minimum nor for a waiting job; the least recently used first. */
function idleOnes(owner: Claimant, asking: Claimant): readonly Candidate[] {
  const { endpoint, view } = owner.want
  const idle = owner.staying.filter(({ phase }) => phase === 'idle')
  const spare = Math.min(owner.staying.length - endpoint.settings.workersMin, idle.length - view.demand.waiting)
  if (spare <= 0) return []
  return onEachHost(idle, asking).flatMap((here) =>
    here
      .map((worker) => ({ worker, owner, rank: [idleSince(worker.record) ?? 0, 0] as const }))
      .toSorted(byRank)
      .slice(0, spare),
  )
}

/** Workers of an endpoint that has more than its share, or that has any worker while `asking` has none; the longest turn first. */
function onesPastTheirTurn(owner: Claimant, asking: Claimant, { builder }: Room): readonly Candidate[] {
  const mayGo = owner.staying.length - owner.want.endpoint.settings.workersMin
  if (mayGo <= 0) return []
  const factor = turnFactor(owner.want.endpoint, asking.want.endpoint)
  const worked = owner.staying.filter((worker) => hadItsTurn(worker, factor, builder))
  return onEachHost(worked, asking).flatMap((here) => {
    const longestFirst = here.toSorted((a, b) => (a.record.readyAt ?? 0) - (b.record.readyAt ?? 0))
    return aboveItsShare(longestFirst.slice(0, mayGo), owner, asking)
  })
}

/** As many workers as leave the owner with at least the share that `asking` will have. */
function aboveItsShare(workers: readonly WorkerView[], owner: Claimant, asking: Claimant): readonly Candidate[] {
  const willHave = asking.share + shareOf(asking.want.endpoint.spec.gpu?.count ?? 1, asking.want.endpoint)
  let share = owner.share
  return workers.flatMap((worker) => {
    const rank = [-share, worker.record.readyAt ?? 0] as const
    share -= shareOf(worker.record.gpus.length, owner.want.endpoint)
    return asking.share === 0 || share >= willHave ? [{ worker, owner, rank }] : []
  })
}

function onEachHost(workers: readonly WorkerView[], asking: Claimant): readonly (readonly WorkerView[])[] {
  return [
    ...Map.groupBy(
      workers.filter((worker) => couldHelp(worker, asking)),
      ({ record }) => record.hostId,
    ).values(),
  ]
}

/** A cheap pre-filter; placement decides. */
function couldHelp({ record }: WorkerView, { rankOf }: Claimant): boolean {
  return rankOf === undefined || record.gpus.length === 0 || record.gpus.some((gpu) => rankOf(gpu) !== undefined)
}

/** The turn is longer against an endpoint of lower priority; else one GPU would be shared equally, whatever the priorities. */
function turnFactor({ settings: { priority: own = 1 } }: Endpoint, { settings: { priority: other = 1 } }: Endpoint): number {
  return Math.max(1, own / other)
}

/** Counts the start without the image pull, which happens only once per host. */
function hadItsTurn({ record }: WorkerView, factor: number, builder: PlanBuilder): boolean {
  const { createdAt, containerStartedAt = createdAt, readyAt = Infinity } = record
  return builder.isDue(readyAt + factor * Math.max(SHORTEST_TURN_MS, TURN_PER_START * (readyAt - containerStartedAt)))
}
