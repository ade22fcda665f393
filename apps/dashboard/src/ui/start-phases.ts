// The cold start of a worker in its phases, what is usual for its endpoint, and the one change that would shorten it most.
import type { WorkerLifeView } from '@runyard/schema/api'
import { formatDuration } from './format.ts'

/** In their order; each ends where the next begins. */
export const START_PHASES = [
  { name: 'image', end: 'imageReady', what: 'the host gets the image' },
  { name: 'create', end: 'containerStarted', what: 'the container or process starts' },
  { name: 'boot', end: 'ready', what: 'agent, interpreter and imports' },
  { name: 'first function', end: 'firstFunction', what: 'the first job is taken and its function entered' },
] as const
export type StartPhaseName = (typeof START_PHASES)[number]['name']

export interface StartPhase {
  readonly name: StartPhaseName
  readonly what: string
  /** Epoch ms. */
  readonly from: number
  readonly to: number
}

/** Those that are over; a phase whose time is not known belongs to the next one. */
export function startPhases(times: WorkerLifeView['times']): readonly StartPhase[] {
  let from = times.placed
  return START_PHASES.flatMap(({ name, end, what }) => {
    const to = times[end]
    if (to === undefined || to < from) return []
    const phase = { name, what, from, to }
    from = to
    return [phase]
  })
}

const USUAL_OF = 20

/** The median of each phase over the latest starts, in ms. `lives`: latest first. */
export function usualPhases(lives: readonly Pick<WorkerLifeView, 'times'>[]): ReadonlyMap<StartPhaseName, number> {
  const phases = lives.slice(0, USUAL_OF).flatMap(({ times }) => startPhases(times))
  const spans = Map.groupBy(phases, ({ name }) => name)
  return new Map([...spans].map(([name, all]) => [name, median(all.map(({ from, to }) => to - from))]))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

const HOUR_MS = 3_600_000
const SOON_MS = 180_000
const MANY_STARTS = 6
const LONG_BOOT_MS = 2000
const LEAST_PULL_MS = 1000

/** At most one sentence. `now`: epoch ms. */
export function adviseOnStarts(lives: readonly Pick<WorkerLifeView, 'times'>[], now: number): string | undefined {
  const usual = usualPhases(lives)
  const total = [...usual.values()].reduce((sum, ms) => sum + ms, 0)
  const image = usual.get('image') ?? 0
  if (image > total / 2 && image > LEAST_PULL_MS) {
    return `More than half of a start (${formatDuration(image)} of ${formatDuration(total)}) is the pull of the image: make it smaller, or let hosts pull it before it is needed.`
  }
  const starts = lives.filter(({ times }) => times.placed > now - HOUR_MS)
  const soon = starts.filter(({ times }) => followsAnEnd(times.placed, lives)).length
  if (starts.length > MANY_STARTS && soon * 2 > starts.length) {
    return `Raise the idle timeout: ${soon} of ${starts.length} starts of the last hour came within 3 min of the last worker’s end.`
  }
  const boot = usual.get('boot') ?? 0
  if (boot > LONG_BOOT_MS && boot > total / 2) {
    return `More than half of a start (${formatDuration(boot)} of ${formatDuration(total)}) is boot: put dependencies into the image, and import less.`
  }
  return undefined
}

/** Whether no worker was there then, and one had been shortly before. */
function followsAnEnd(at: number, lives: readonly Pick<WorkerLifeView, 'times'>[]): boolean {
  const before = lives.filter(({ times }) => times.placed < at)
  const wasNobody = before.every(({ times }) => times.gone !== undefined && times.gone <= at)
  return wasNobody && before.some(({ times }) => times.gone !== undefined && at - times.gone < SOON_MS)
}
