// GET /runyard/v1/timeline: what each card did, drawn for a width (core's `createLanes`). Read in turns of the event loop, because a day of a busy pool
// has some hundred thousand jobs.
import { createLanes, defined, readingPxOf, type ColumnJob, type Lane, type TimelineInput, type TimelineWorker } from '@runyard/core'
import { OutOfUse, type HostRecord, type Reason } from '@runyard/schema'
import type { TimelineView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { pastEndpoints, type PastEndpoint } from './own-endpoints.ts'
import type { SharedAnswers } from '../http/shared-answers.ts'
import type { Past } from '../parts/past.ts'
import type { WorkerLists } from '../parts/worker-lists.ts'
import { readRanJobs } from '../parts/ran-jobs.ts'

type TimelineStore = Pick<Store, 'endpoints' | 'jobs' | 'hosts' | 'history' | 'scalerReport'>

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

type Range = TimelineInput['range']
type Worker = TimelineWorker & {
  readonly host: string
  readonly endpointVersion: number
  readonly startReason: Reason
  readonly endReason?: Reason
}

interface TimelineDeps {
  readonly store: TimelineStore
  readonly past: Past
  readonly workers: WorkerLists
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

async function drawTimeline(deps: TimelineDeps, ownerId: string, query: Query): Promise<TimelineView> {
  const { store } = deps
  const { px, group, endpoint: word, gpu, mostJobs = NEAR_PER_PX * px, to = Date.now(), from = Math.max(0, to - HOUR_MS) } = query
  const range = { from: Math.min(from, to - 1), to }
  const [own, hosts] = await Promise.all([pastEndpoints(store, ownerId, word), store.hosts.list()])
  const { all, busy } = await workersIn(deps, hosts, range)
  const endpoints = await own.name(all.map(({ endpointId }) => endpointId))
  const isShown = ({ endpointId }: { readonly endpointId: string }) => word === undefined || endpoints.has(endpointId)
  const workers = all.filter((worker) => isShown(worker) && (gpu === undefined || worker.gpus.some(({ uuid }) => uuid === gpu)))
  const [cards, away, begun] = await Promise.all([cardsOf(store, hosts, all), absencesIn(store, range), beginningOf(store, all)])
  const shown = cards.filter(({ uuid }) => gpu === undefined || uuid === gpu)
  const hostIds = begun <= range.from ? [] : new Set(shown.map(({ hostId }) => hostId))
  const before = [...hostIds].map((hostId) => ({ hostId, cause: 'not_recorded', from: range.from, to: Math.min(begun, range.to) }))
  const absences = [...before, ...away]
  const input = { range, px, now: Date.now(), cards: shown, workers, absences }
  const { lanes, level, isComplete } = await drawInTurns(deps, input, { mostJobs, busy })
  const views = lanes.map((lane, index) => viewOf(lane, shown[index], { endpoints, group, level, now: input.now }))
  return {
    ...range,
    now: input.now,
    px,
    readingPx: readingPxOf(input),
    level,
    lanes: views.toSorted((a, b) => compare(a.group, b.group) || compare(a.host, b.host)),
    absences: absences.map(({ ...absence }) => absence),
    isComplete,
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
  readonly isComplete: boolean
}

interface JobsToDraw {
  readonly mostJobs: number
  /** Endpoints on whose workers jobs may run now. */
  readonly busy: readonly string[]
}

async function drawInTurns({ store, past }: TimelineDeps, input: TimelineInput, { mostJobs, busy }: JobsToDraw): Promise<Drawn> {
  const { range } = input
  const drawing = createLanes(input)
  const takeTurn = createTurns()
  const readings = range.to - range.from <= FINE_MS ? past.samples : past.sampleMinutes
  for await (const block of readings.read({ from: range.from - LAG_MS, to: range.to })) {
    drawing.addReadings(block)
    await takeTurn(block.count)
  }
  const { blocks, isComplete } = await readRanJobs({ store, past, busy }, range)
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
  return { lanes, level, isComplete }
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

/** Of all owners; `busy`: the endpoints that have workers now. */
async function workersIn({ store, past, workers }: TimelineDeps, hosts: readonly HostRecord[], range: Range) {
  const [endpoints, lives] = await Promise.all([store.endpoints.list(), past.lives({ from: range.from, to: Number.MAX_SAFE_INTEGER })])
  const labels = new Map(hosts.map(({ hostId, sight }) => [hostId, sight?.label ?? hostId]))
  const there = (await Promise.all(endpoints.map(({ id }) => workers.list(id)))).flat()
  const now = there.map((record) => ({ ...record, host: labels.get(record.hostId) ?? record.hostId }))
  const ids = new Set(now.map(({ id }) => id))
  const all: readonly Worker[] = [...now, ...lives.filter(({ id }) => !ids.has(id))].filter(({ createdAt }) => createdAt < range.to)
  return { all, busy: [...new Set(there.map(({ endpointId }) => endpointId))] }
}

/** Before it nothing was recorded: a card without a worker was not free then, it is not known. */
async function beginningOf({ history }: TimelineStore, workers: readonly Worker[]): Promise<number> {
  const [first] = await history.chunks('cardChanges', { from: 0, to: Number.MAX_SAFE_INTEGER, count: 1 })
  return Math.min(first?.at ?? Date.now(), ...workers.map(({ createdAt }) => createdAt))
}

/** Each stored list holds from its time to that of the next. */
async function absencesIn({ history }: TimelineStore, range: Range): Promise<TimelineView['absences']> {
  const [before] = await history.chunks('cardChanges', { from: 0, to: range.from, newestFirst: true, count: 1 })
  const within = await history.chunks('cardChanges', { from: range.from, to: range.to, count: 100_000 })
  const open = new Map<string, TimelineView['absences'][number]>()
  const ended: TimelineView['absences'] = []
  for (const { at, bytes } of [...(before === undefined ? [] : [before]), ...within]) {
    const { cards, hosts } = OutOfUse.parse(JSON.parse(Buffer.from(bytes).toString()))
    const away = hosts.map((hostId) => ({ name: hostId, hostId, cause: 'host_away', from: at }))
    const out = cards.map(({ uuid, cause, since }) => ({ name: uuid, uuid, cause, from: since }))
    const now = new Map([...out, ...away].map(({ name, ...absence }) => [name, absence]))
    for (const [name, absence] of open) if (!now.has(name) && open.delete(name)) ended.push({ ...absence, to: at })
    for (const [name, absence] of now) if (!open.has(name)) open.set(name, { ...absence, to: range.to })
  }
  return [...ended, ...open.values()].filter(({ from, to }) => to > range.from && from < range.to)
}

interface Card {
  readonly uuid: string
  readonly hostId: string
  readonly host: string
  readonly name: string
  readonly simulated: boolean
  readonly index?: number
  readonly powerLimitW?: number | undefined
}

/** Those that there are, in the order of their hosts, then those that only workers of the range had. */
async function cardsOf(
  { scalerReport }: TimelineStore,
  hosts: readonly HostRecord[],
  workers: readonly Worker[],
): Promise<readonly Card[]> {
  const report = await scalerReport.get()
  // With the card's uuid as the third label (ADR 73).
  const limits = (report?.metrics['runyard_gpu_power_limit_watts'] ?? []).flatMap(({ values, reading }) =>
    'value' in reading && reading.value > 0 ? [[values[2] ?? '', reading.value] as const] : [],
  )
  const limitOf = new Map(limits)
  const there = hosts.flatMap(({ hostId, sight }) =>
    (sight?.inventory?.gpus ?? []).map(({ uuid, name, simulated }, index): Card => {
      return { uuid, hostId, host: sight?.label ?? hostId, name, simulated, index, powerLimitW: limitOf.get(uuid) }
    }),
  )
  const found = new Map(there.map((card) => [card.uuid, card]))
  for (const { gpus, hostId, host } of workers) {
    for (const { uuid, name, simulated } of gpus) if (!found.has(uuid)) found.set(uuid, { uuid, hostId, host, name, simulated })
  }
  return [...found.values()]
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
