// Which workers give way because a wanted worker of another endpoint fits nowhere (ADR 40). Idle ones above their minimum go at once; busy ones
// end after their job where their endpoint has more than its share. Placement itself says whether a retirement would help.
// Failure direction: a job waits longer. Never a worker below the minimum, never a job stopped, never a worker more than needed.
import type { HostInventory } from '@runyard/schema'
import { grantInTurns, type Claim } from './fair-turns.ts'
import { gpuRank } from './gpu-request.ts'
import { shareOf, type WorkerHolding } from './holdings.ts'
import { idleSince } from './phase.ts'
import { place, type Placed } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { reachable, toHolding, type Want } from './plan-growth.ts'
import { isThere } from './plan-workers.ts'
import type { WorkerView } from './worker-view.ts'

/** A worker gives way to a queue only after this many times what its start took, so that most of the time is work. */
const TURN_PER_START = 2
/** The shortest turn, and the shortest time between giving way and asking for the same. */
export const SHORTEST_TURN_MS = 5000

interface Claimant extends Claim {
  readonly want: Want
  /** Ready workers that are not leaving. */
  staying: readonly WorkerView[]
  hasYielded: boolean
}

interface Candidate {
  readonly worker: WorkerView
  readonly owner: Claimant
  /** Lower goes first. */
  readonly rank: readonly [number, number]
}

interface Room {
  readonly claimants: readonly Claimant[]
  readonly hosts: readonly HostInventory[]
  readonly builder: PlanBuilder
  /** Without what is leaving, with what is promised. */
  holdings: readonly WorkerHolding[]
}

/** Adds the retirements. Returns for how many workers of each want there is room now or soon. */
export function planYields(wants: readonly Want[], holdings: readonly WorkerHolding[], builder: PlanBuilder): ReadonlyMap<Want, number> {
  const { shutdown, planeUpSince } = builder.observed
  // While workers cannot report, a new one could not take the job.
  if (shutdown || planeUpSince === undefined || wants.every(({ missing }) => missing === 0)) return new Map()
  const claimants = wants.map((want) => toClaimant(want, builder))
  const room: Room = { claimants, hosts: reachable(builder.observed), builder, holdings }
  leaveOut(room, (worker) => worker.leases.length === 0)
  grantInTurns(claimants, (asking) => makeRoom(asking, room, idleOnes))
  leaveOut(room, () => true)
  const inLine = claimants.filter((claimant) => mayAskForTurn(claimant, builder))
  grantInTurns(inLine, (asking) => makeRoom(asking, room, onesPastTheirTurn))
  return new Map(claimants.map(({ want, missing }) => [want, want.missing - missing]))
}

function toClaimant(want: Want, builder: PlanBuilder): Claimant {
  const staying = want.workers.filter((worker) => worker.record.readyAt !== undefined && isThere(worker) && !isLeaving(worker, builder))
  return { want, share: want.share, missing: want.missing, since: want.since, staying, hasYielded: false }
}

function isLeaving(worker: WorkerView, { actions }: PlanBuilder): boolean {
  if (worker.phase === 'draining' || worker.inFlight) return true
  return actions.some((action) => action.kind === 'drain' && action.workerId === worker.record.id)
}

/** What is leaving is room already: no further worker goes for the same job. */
function leaveOut(room: Room, isNear: (worker: WorkerView) => boolean): void {
  const leaving = room.claimants.flatMap(({ want }) => want.workers.filter((worker) => isNear(worker) && isLeaving(worker, room.builder)))
  room.holdings = withoutWorkers(room.holdings, leaving)
}

function withoutWorkers(holdings: readonly WorkerHolding[], workers: readonly WorkerView[]): readonly WorkerHolding[] {
  const ids = new Set<string | undefined>(workers.map(({ record }) => record.id))
  return holdings.filter(({ workerId }) => !ids.has(workerId))
}

/** Only for jobs that wait, and not right after a worker of its own gave way. */
function mayAskForTurn({ want: { view }, since, missing }: Claimant, builder: PlanBuilder): boolean {
  return missing > 0 && Number.isFinite(since) && (view.yieldedAt === 0 || builder.isDue(view.yieldedAt + SHORTEST_TURN_MS))
}

type Choose = (owner: Claimant, asking: Claimant, room: Room) => readonly Candidate[]

/** Where one worker of `asking` will fit, after the fewest workers have given way; its share. undefined: no way. */
function makeRoom(asking: Claimant, room: Room, choose: Choose): number | undefined {
  // An endpoint that gives way in this plan takes from no other in it.
  if (asking.hasYielded) return undefined
  const others = room.claimants.filter((owner) => owner !== asking)
  const candidates = others.flatMap((owner) => choose(owner, asking, room)).toSorted(byRank)
  const ways = room.hosts.flatMap((host) => {
    const here = candidates.filter(({ worker }) => worker.record.hostId === host.hostId)
    const fits = (gone: readonly Candidate[]) => placeAfter(asking, { host, gone, room }) !== undefined
    const going = fewestThatHelp(here, fits)
    const placed = going === undefined ? undefined : placeAfter(asking, { host, gone: going, room })
    return going === undefined || placed === undefined ? [] : [{ going, placed }]
  })
  const [best] = ways.toSorted((a, b) => a.going.length - b.going.length || byRank(a.going[0], b.going[0]))
  return best === undefined ? undefined : giveWay(best.going, best.placed, room)
}

interface Clearing {
  readonly host: HostInventory
  readonly gone: readonly Candidate[]
  readonly room: Room
}

function placeAfter({ want }: Claimant, { host, gone, room }: Clearing): Placed | undefined {
  const holdings = withoutWorkers(
    room.holdings,
    gone.map(({ worker }) => worker),
  )
  const placement = place(want.endpoint.spec, [host], holdings)
  return placement.kind === 'placed' ? placement : undefined
}

/** The first ones, without those that do not matter: each one left is needed. Looks log(n) times per worker found. */
function fewestThatHelp(candidates: readonly Candidate[], fits: (gone: readonly Candidate[]) => boolean): readonly Candidate[] | undefined {
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

/** The smallest size in 1…most that will do, where each larger one does, too. */
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

function giveWay(going: readonly Candidate[], placed: Placed, room: Room): number {
  for (const { worker, owner } of going.toSorted(byRank)) {
    const { id: workerId, endpointId, hostId } = worker.record
    owner.staying = owner.staying.filter((other) => other !== worker)
    owner.share -= shareOf(worker.record)
    owner.hasYielded = true
    room.builder.add({ kind: 'drain', endpointId, workerId, hostId, reason: 'yielded' })
  }
  const gone = going.map(({ worker }) => worker)
  room.holdings = [...withoutWorkers(room.holdings, gone), toHolding(placed)]
  return shareOf(placed)
}

/** Idle workers that their endpoint needs neither for its minimum nor for a job that waits; the least recently used first. */
function idleOnes(owner: Claimant, asking: Claimant): readonly Candidate[] {
  const { endpoint, view } = owner.want
  const idle = owner.staying.filter(({ phase }) => phase === 'idle')
  const spare = Math.min(owner.staying.length - endpoint.settings.workersMin, idle.length - view.demand.waiting)
  return onEachHost(idle, asking).flatMap((here) =>
    here
      .map((worker) => ({ worker, owner, rank: [idleSince(worker.record) ?? 0, 0] as const }))
      .toSorted(byRank)
      .slice(0, Math.max(0, spare)),
  )
}

/** Workers of an endpoint that has more than its share, or anything where `asking` has nothing; the longest turn first. */
function onesPastTheirTurn(owner: Claimant, asking: Claimant, { builder }: Room): readonly Candidate[] {
  const mayGo = Math.max(0, owner.staying.length - owner.want.endpoint.settings.workersMin)
  const worked = owner.staying.filter((worker) => hadItsTurn(worker, builder))
  return onEachHost(worked, asking).flatMap((here) => {
    const longestFirst = here.toSorted((a, b) => (a.record.readyAt ?? 0) - (b.record.readyAt ?? 0))
    return aboveItsShare(longestFirst.slice(0, mayGo), owner, asking)
  })
}

/** One after another, while the owner is left with no less than `asking` will have. */
function aboveItsShare(workers: readonly WorkerView[], owner: Claimant, asking: Claimant): readonly Candidate[] {
  const willHave = asking.share + Math.max(1, asking.want.endpoint.spec.gpu?.count ?? 1)
  let share = owner.share
  return workers.flatMap((worker) => {
    const rank = [-share, worker.record.readyAt ?? 0] as const
    share -= shareOf(worker.record)
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

/** Only spares looks: placement decides. */
function couldHelp({ record }: WorkerView, { want }: Claimant): boolean {
  const { gpu } = want.endpoint.spec
  return gpu === null || record.gpus.length === 0 || record.gpus.some(({ name }) => gpuRank(gpu, name) !== undefined)
}

/** Without the pull of its image, which is paid once a host. */
function hadItsTurn({ record }: WorkerView, builder: PlanBuilder): boolean {
  const { createdAt, containerStartedAt = createdAt, readyAt = Infinity } = record
  return builder.isDue(readyAt + Math.max(SHORTEST_TURN_MS, TURN_PER_START * (readyAt - containerStartedAt)))
}
