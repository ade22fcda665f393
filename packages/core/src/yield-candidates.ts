// Which workers could yield to a wanted worker of another endpoint, and in which order (ADR 40): idle ones that their endpoint does not
// keep, and those that have had their turn. Whether one of them helps is decided in `yielding.ts`.
import type { Endpoint } from '@runyard/schema'
import type { Claim } from './fair-turns.ts'
import { cardsIn } from './gpu-budget.ts'
import type { createGpuRanker } from './gpu-request.ts'
import { shareOf } from './holdings.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { Want } from './plan-growth.ts'
import { keptWorkers } from './scaling.ts'
import { idleSince } from './worker-facts.ts'
import type { WorkerView } from './worker-view.ts'

/** A worker yields to a queue only after this many times the duration of its own start, so that most of the time is work. */
const TURN_PER_START = 2
/** The shortest turn, and the shortest time between yielding and making another endpoint yield. */
export const SHORTEST_TURN_MS = 5000

export interface ReadyWorker extends WorkerView {
  readonly record: WorkerView['record'] & { readonly readyAt: number }
}

export interface Claimant extends Claim {
  readonly want: Want
  /** Those that are not leaving. */
  staying: readonly ReadyWorker[]
  leaving: readonly WorkerView[]
  hasYielded: boolean
  /** Undefined: its workers have no GPUs. */
  readonly rankOf: ReturnType<typeof createGpuRanker> | undefined
  /** Equal for claimants whose placements are equivalent. */
  readonly asked: string
}

export interface Candidate {
  readonly worker: WorkerView
  readonly owner: Claimant
  /** Lower goes first. */
  readonly rank: readonly [number, number]
}

export interface Line {
  readonly builder: PlanBuilder
  /** Of the endpoints whose jobs wait for a worker. */
  readonly lowestPriority: number
}

export interface Choose {
  /** Whether this owner may have any candidate: asked once for all claimants, so that a large pool is not searched for each of them. */
  readonly mayGive: (owner: Claimant, line: Line) => boolean
  readonly candidates: (owner: Claimant, asking: Claimant, line: Line) => readonly Candidate[]
}

export function byRank({ rank: [a1, a2] }: Candidate, { rank: [b1, b2] }: Candidate): number {
  return a1 - b1 || a2 - b2
}

/** Idle workers that their endpoint needs neither for its minimum, its rate of requests nor a waiting job; the least recently used first. */
export const idleOnes: Choose = {
  mayGive: (owner) => spareOf(owner) > 0,
  candidates: findIdle,
}

/** Workers of an endpoint that has more than its share, or that has any worker while `asking` has none; the longest turn first. */
export const onesPastTheirTurn: Choose = {
  mayGive: ({ staying, want }, line) => staying.some(hadItsTurn(want.endpoint, line)),
  candidates: findPastTheirTurn,
}

const isIdle = ({ phase }: WorkerView): boolean => phase === 'idle'

function findIdle(owner: Claimant, asking: Claimant): readonly Candidate[] {
  const spare = spareOf(owner)
  if (spare <= 0) return []
  return onEachHost(owner.staying.filter(isIdle), asking).flatMap((here) =>
    here
      .map((worker) => ({ worker, owner, rank: [idleSince(worker.record), 0] as const }))
      .toSorted(byRank)
      .slice(0, spare),
  )
}

/** As many as its endpoint does not keep. */
function mayGo({ staying, want: { endpoint, view } }: Claimant): number {
  return staying.length - keptWorkers(endpoint.settings, view.demand.perSecond)
}

function spareOf(owner: Claimant): number {
  const { staying, want } = owner
  return Math.min(mayGo(owner), staying.filter(isIdle).length - want.view.demand.waiting)
}

function findPastTheirTurn(owner: Claimant, asking: Claimant, line: Line): readonly Candidate[] {
  const most = mayGo(owner)
  if (most <= 0 || !mayTakeFrom(owner.share, asking)) return []
  const worked = owner.staying.filter(hadItsTurn(owner.want.endpoint, line))
  return onEachHost(worked, asking).flatMap((here) => {
    const longestFirst = here.toSorted((a, b) => a.record.readyAt - b.record.readyAt)
    return aboveItsShare(longestFirst.slice(0, most), owner, asking)
  })
}

/** As many workers as leave the owner with at least the share that `asking` will have. */
function aboveItsShare(workers: readonly ReadyWorker[], owner: Claimant, asking: Claimant): readonly Candidate[] {
  let share = owner.share
  return workers.flatMap((worker) => {
    const rank = [-share, worker.record.readyAt] as const
    share -= shareOf(cardsIn(worker.record.gpus), owner.want.endpoint)
    return mayTakeFrom(share, asking) ? [{ worker, owner, rank }] : []
  })
}

/** `share`: what is left to the owner. */
function mayTakeFrom(share: number, asking: Claimant): boolean {
  const { endpoint } = asking.want
  return asking.share === 0 || share >= asking.share + shareOf(endpoint.spec.gpu?.count ?? 1, endpoint)
}

function onEachHost(workers: readonly ReadyWorker[], asking: Claimant): readonly (readonly ReadyWorker[])[] {
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

/**
 * Turns are as long as priorities are high, measured by the lowest priority that waits: on one GPU, endpoints with 1, 2 and 4 work for 1, 2 and 4
 * turns in a round. Otherwise one GPU would be shared equally, whatever the priorities.
 */
function turnFactor({ settings: { priority = 1 } }: Endpoint, lowest: number): number {
  return Math.max(1, priority / lowest)
}

/** Counts the start without the image pull, which happens only once per host. */
function hadItsTurn(endpoint: Endpoint, { builder, lowestPriority }: Line): (worker: ReadyWorker) => boolean {
  const factor = turnFactor(endpoint, lowestPriority)
  return ({ record: { createdAt, containerStartedAt = createdAt, readyAt } }) =>
    builder.isDue(readyAt + factor * Math.max(SHORTEST_TURN_MS, TURN_PER_START * (readyAt - containerStartedAt)))
}
