// The jobs that a preview runs: those of the last day, or imagined ones.
import type { Preview, PreviewInput } from '@runyard/core/preview'
import type { EndpointView, FoundJob, WorkerLifeView } from '@runyard/schema/api'

export interface Arrivals extends Pick<PreviewInput, 'jobs' | 'forMs'> {
  /** Epoch ms of the beginning. */
  readonly from: number
}

const USUAL_RUN_MS = 1000

export interface PastWindow {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
}

/** A job without a known run time runs as long as the median of the others. */
export function arrivalsOf(found: readonly FoundJob[], { from, to }: PastWindow): Arrivals {
  const usual = median(found.flatMap(({ runMs }) => runMs ?? [])) ?? USUAL_RUN_MS
  const jobs = found
    .filter(({ submittedAt }) => submittedAt >= from && submittedAt < to)
    .map(({ submittedAt, runMs = usual }) => ({ at: submittedAt - from, runMs }))
    .toSorted((a, b) => a.at - b.at)
  return { jobs, from, forMs: to - from }
}

/** From a worker's placing until it was ready. Undefined: none has been. */
export function usualStartMs(lives: readonly Pick<WorkerLifeView, 'times'>[]): number | undefined {
  return median(lives.flatMap(({ times: { placed, ready } }) => (ready === undefined ? [] : [ready - placed])))
}

/** The numbers of a preview, without its picture. */
export type Outcome = Omit<Preview, 'workers'>

/** What happened to the jobs of the window, and to the workers that were there. */
export function outcomeOf(found: readonly FoundJob[], lives: readonly Pick<WorkerLifeView, 'times'>[], { from, to }: PastWindow): Outcome {
  const jobs = found.filter(({ submittedAt }) => submittedAt >= from && submittedAt < to)
  const waits = jobs.flatMap(({ delayMs }) => delayMs ?? []).toSorted((a, b) => a - b)
  const at = (share: number): number | null => waits[Math.ceil(share * waits.length) - 1] ?? null
  const within = lives.map(({ times: { placed, gone = to } }) => Math.max(0, Math.min(gone, to) - Math.max(placed, from)))
  return {
    waitP50Ms: at(0.5),
    waitP95Ms: at(0.95),
    coldStarts: lives.filter(({ times: { placed } }) => placed >= from && placed < to).length,
    workerMs: within.reduce((sum, ms) => sum + ms, 0),
    workMs: [...Map.groupBy(jobs, ({ workerId }) => workerId)].reduce((sum, [, own]) => sum + workOf(own), 0),
    notStarted: jobs.filter(({ startedAt }) => startedAt === undefined).length,
  }
}

/** How long a worker had a job; what overlaps counts once. */
function workOf(jobs: readonly FoundJob[]): number {
  const spans = jobs.flatMap(({ startedAt, runMs }) => (startedAt === undefined || runMs === undefined ? [] : [{ from: startedAt, runMs }]))
  let [work, until] = [0, 0]
  for (const { from, runMs } of spans.toSorted((a, b) => a.from - b.from)) {
    work += Math.max(0, from + runMs - Math.max(from, until))
    until = Math.max(until, from + runMs)
  }
  return work
}

/** What the endpoint sets, as the next worker gets it. Else what the latest worker got, perhaps from its build. Else what workers had. */
export function jobsAtOnceOf({ env }: Pick<EndpointView, 'env'>, past: Past | undefined): number {
  const said = Number(env['RUNPOD_MAX_CONCURRENCY'])
  if (said >= 1) return Math.floor(said)
  return past?.lives[0]?.jobsAtOnce ?? Math.max(1, mostAtOnce(past?.jobs ?? []))
}

interface Past {
  readonly jobs: readonly FoundJob[]
  /** Latest first. */
  readonly lives: readonly Pick<WorkerLifeView, 'jobsAtOnce'>[]
}

/** The most jobs that one worker had at a time. */
function mostAtOnce(found: readonly FoundJob[]): number {
  const byWorker = Map.groupBy(found, ({ workerId }) => workerId ?? '')
  const most = [...byWorker].map(([workerId, jobs]) => {
    if (workerId === '') return 0
    // Of a moment, ends come before starts.
    const changes = jobs
      .flatMap(({ startedAt, runMs }) =>
        startedAt === undefined || runMs === undefined
          ? []
          : [
              { at: startedAt, by: 1 },
              { at: startedAt + runMs, by: -1 },
            ],
      )
      .toSorted((a, b) => a.at - b.at || a.by - b.by)
    let now = 0
    return changes.reduce((highest, { by }) => Math.max(highest, (now += by)), 0)
  })
  return Math.max(0, ...most)
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

const HOUR_MS = 3_600_000
/** Any number: the same sliders give the same jobs. */
const SEED = 20_261_130

/** Two hours of jobs that come independently of each other. */
export function imagineArrivals({ perMinute, runMs }: { readonly perMinute: number; readonly runMs: number }, now: number): Arrivals {
  const forMs = 2 * HOUR_MS
  const random = createRandom(SEED)
  const jobs: { at: number; runMs: number }[] = []
  for (let at = 0; ;) {
    at += (-Math.log(1 - random()) * 60_000) / perMinute
    if (at >= forMs) break
    // Between half and twice as long.
    jobs.push({ at, runMs: runMs * 2 ** (2 * random() - 1) })
  }
  return { jobs, from: now - forMs, forMs }
}

/** mulberry32: numbers from 0 to 1 that only depend on the seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
