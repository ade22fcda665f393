// GET /runyard/v1/timeline: what each card did, drawn for a width (core's `createLanes`). Read in turns of the event loop, because a day of a busy pool
// has some hundred thousand jobs.
import {
  createLanes,
  defined,
  readingPxOf,
  type ColumnJob,
  type JobColumns,
  type Lane,
  type ReadingColumns,
  type TimelineInput,
} from '@runyard/core'
import type { TimelineView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { pastEndpoints, type PastEndpoint } from './own-endpoints.ts'
import type { SharedAnswers } from '../http/shared-answers.ts'
import type { Past } from '../parts/past.ts'
import type { WorkerLists } from '../parts/worker-lists.ts'
import { readRanJobs } from '../parts/ran-jobs.ts'
import {
  absencesIn,
  cardsOf,
  firstChange,
  powerLimits,
  workersIn,
  workersNow,
  type Card,
  type Range,
  type Worker,
} from './timeline-subjects.ts'

const HOUR_MS = 3_600_000
/** Jobs, readings or columns: some milliseconds. */
const TURN_ITEMS = 20_000
/** Readings of ten seconds up to here; of minutes beyond. */
const FINE_MS = 2 * HOUR_MS
/** A chunk may be this much later than its first reading. */
const LAG_MS = 60_000
/** What a browser may get beyond the columns, per pixel: workers and jobs, and workers alone. */
const NEAR_PER_PX = 4
const MIDDLE_PER_PX = 0.5

interface TimelineDeps {
  readonly store: Pick<Store, 'endpoints' | 'jobs' | 'hosts' | 'history' | 'scalerReport'>
  readonly past: Past
  readonly workers: Pick<WorkerLists, 'list'>
}

export function registerTimelineRoute(app: RestApp, deps: TimelineDeps, shared: SharedAnswers): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/timeline', (request, reply) =>
    shared.answer(request, reply, () => drawTimeline(deps, keyOf(request).ownerId, request.query)),
  )
}

interface Query {
  readonly px: number
  readonly group: 'host' | 'type' | 'endpoint'
  readonly endpoint?: string | undefined
  readonly gpu?: string | undefined
  readonly mostJobs?: number | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** What it needs is read at the same time, as far as nothing depends on anything else. */
export async function drawTimeline(deps: TimelineDeps, ownerId: string, query: Query): Promise<TimelineView> {
  const { store } = deps
  const { px, group, endpoint: word, gpu, mostJobs = NEAR_PER_PX * px, to = Date.now(), from = Math.max(0, to - HOUR_MS) } = query
  const range = { from: Math.min(from, to - 1), to }
  const readings = readingsIn(deps, range)
  const list = store.endpoints.list()
  const endpointStore = { ...store.endpoints, list: () => list }
  const there = workersNow({ endpoints: endpointStore }, deps.workers)
  const [own, hosts, now, lives, ran, ...others] = await Promise.all([
    pastEndpoints({ endpoints: endpointStore }, ownerId, word),
    store.hosts.list(),
    there,
    deps.past.lives({ from: range.from, to: Number.MAX_SAFE_INTEGER }),
    readRanJobs({ ...deps, busy: async () => [...new Set((await there).map(({ endpointId }) => endpointId))] }, range),
    absencesIn(store, range),
    firstChange(store),
    powerLimits(store),
  ])
  const [away, begunAt, limits] = others
  const all = workersIn({ hosts, now, lives }, range)
  const endpoints = await own.name(all.map(({ endpointId }) => endpointId))
  const isShown = ({ endpointId }: { readonly endpointId: string }) => word === undefined || endpoints.has(endpointId)
  const workers = all.filter((worker) => isShown(worker) && (gpu === undefined || worker.gpus.some(({ uuid }) => uuid === gpu)))
  const shown = cardsOf({ hosts, limits }, all).filter(({ uuid }) => gpu === undefined || uuid === gpu)
  // Before it nothing was recorded: a card without a worker was not free then, it is not known.
  const begun = Math.min(begunAt, ...all.map(({ createdAt }) => createdAt))
  const hostIds = begun <= range.from ? [] : new Set(shown.map(({ hostId }) => hostId))
  const before = [...hostIds].map((hostId) => ({ hostId, cause: 'not_recorded', from: range.from, to: Math.min(begun, range.to) }))
  const absences = [...before, ...away]
  const input = { range, px, now: Date.now(), cards: shown, workers, absences }
  const { lanes, level } = await drawInTurns(input, { mostJobs, blocks: ran.blocks, readings })
  const views = lanes.map((lane, index) => viewOf(lane, shown[index], { endpoints, group, level, now: input.now }))
  return {
    ...range,
    now: input.now,
    px,
    readingPx: readingPxOf(input),
    level,
    lanes: views.toSorted((a, b) => compare(a.group, b.group) || compare(a.host, b.host)),
    absences: absences.map(({ ...absence }) => absence),
    isComplete: ran.isComplete,
  }
}

interface JobCounts {
  readonly jobs: number
  readonly mostJobs: number
}

function levelOf({ px, workers }: TimelineInput, { jobs, mostJobs }: JobCounts): TimelineView['level'] {
  if (jobs <= mostJobs && jobs + workers.length <= NEAR_PER_PX * px) return 'near'
  return workers.length <= MIDDLE_PER_PX * px ? 'middle' : 'far'
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

type DrawnLane = Lane & { readonly jobs: readonly ColumnJob[] }

interface Drawn {
  readonly lanes: readonly DrawnLane[]
  readonly level: TimelineView['level']
}

interface ToDraw {
  readonly mostJobs: number
  readonly blocks: readonly JobColumns[]
  readonly readings: AsyncIterable<ReadingColumns>
}

function readingsIn({ past }: TimelineDeps, { from, to }: Range): ToDraw['readings'] {
  return (to - from <= FINE_MS ? past.samples : past.sampleMinutes).read({ from: from - LAG_MS, to })
}

async function drawInTurns(input: TimelineInput, { mostJobs, blocks, readings }: ToDraw): Promise<Drawn> {
  const drawing = createLanes(input)
  const takeTurn = createTurns()
  for await (const block of readings) {
    drawing.addReadings(block)
    await takeTurn(block.count)
  }
  let jobs = 0
  for (const block of blocks) {
    jobs += drawing.addJobs(block)
    await takeTurn(block.count)
  }
  const level = levelOf(input, { jobs, mostJobs })
  const lists = level === 'near' ? drawing.list(blocks) : []
  const lanes: DrawnLane[] = []
  for (const place of input.cards.keys()) {
    lanes.push({ ...drawing.draw(place), jobs: lists[place] ?? [] })
    await takeTurn(input.px)
  }
  return { lanes, level }
}

/** Gives the event loop a turn after some milliseconds of work. */
function createTurns(): (done: number) => Promise<void> {
  let left = TURN_ITEMS
  return async (done) => {
    left -= done
    if (left > 0) return
    left = TURN_ITEMS
    await nextTurn()
  }
}

interface ViewOptions {
  readonly endpoints: ReadonlyMap<string, PastEndpoint>
  readonly group: 'host' | 'type' | 'endpoint'
  readonly level: TimelineView['level']
  readonly now: number
}

function viewOf(lane: DrawnLane, card: Card | undefined, { endpoints, group, level, now }: ViewOptions): TimelineView['lanes'][number] {
  const { uuid, phases, load, memory, power, failed } = lane
  const { host = '', hostId = '', name = '', simulated = false, index } = card ?? {}
  const groups = { host, type: name, endpoint: mainEndpoint(lane, endpoints) }
  const drawn = { uuid, host, hostId, index, name, simulated, group: groups[group], phases, load, memory, power, failed: [...failed] }
  const workers = level === 'far' ? undefined : workersOf(lane, endpoints)
  const jobs = level === 'near' ? jobsOf(lane, endpoints, now) : undefined
  return defined({ ...drawn, workers, jobs })
}

/** The name of the caller's endpoint that had the card longest. */
function mainEndpoint({ bars }: Lane, own: ReadonlyMap<string, PastEndpoint>): string {
  const spent = new Map<string, number>()
  for (const { worker, phases } of bars) {
    const name = own.get(worker.endpointId)?.name ?? ''
    spent.set(name, (spent.get(name) ?? 0) + phases.reduce((sum, { from, to }) => sum + to - from, 0))
  }
  return [...spent].reduce((best, other) => (other[1] > best[1] ? other : best), ['', 0] as const)[0]
}

function workersOf({ bars }: Lane, own: ReadonlyMap<string, PastEndpoint>): NonNullable<TimelineView['lanes'][number]['workers']> {
  return bars.flatMap(({ worker, phases }) => {
    const endpoint = own.get(worker.endpointId)
    if (endpoint === undefined) return []
    const { id, endpointVersion: version, startReason, endReason } = worker as Worker
    const spans = phases.flatMap(({ phase, ...span }) =>
      phase === 'pulling' || phase === 'starting' || phase === 'idle' || phase === 'draining' ? [{ phase, ...span }] : [],
    )
    return [defined({ id, endpoint: { id: endpoint.id, name: endpoint.name }, version, phases: spans, startReason, endReason })]
  })
}

function jobsOf(
  { jobs }: DrawnLane,
  own: ReadonlyMap<string, PastEndpoint>,
  now: number,
): NonNullable<TimelineView['lanes'][number]['jobs']> {
  const named = jobs.filter(({ endpointId }) => own.has(endpointId))
  return named.map(({ id, endpointId, status, startedAt: from = now, endedAt: to = now }) => ({ id, endpointId, status, from, to }))
}
