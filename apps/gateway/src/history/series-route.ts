// GET /runyard/v1/series: numbers of endpoints from the minutes or hours of the history, or readings of one card.
import {
  addNumbers,
  meanSample,
  NO_NUMBERS,
  quantileOf,
  unpackNumbers,
  unpackSamples,
  type CardSample,
  type EndpointNumbers,
} from '@runyard/core'
import { Reason, REASONS, RunyardError } from '@runyard/schema'
import type { SeriesView } from '@runyard/schema/api'
import type { Chunk, ChunkRange, Store } from '@runyard/store'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { ownEndpoints } from './own-endpoints.ts'
import type { SharedAnswers } from '../http/shared-answers.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Minutes are kept so long. */
const MINUTES_MS = 48 * HOUR_MS
const FINE_MS = 24 * HOUR_MS
const ALL = 200_000

type SeriesStore = Pick<Store, 'endpoints' | 'history'>

interface Asked {
  readonly from: number
  readonly to: number
  readonly points: number
}

export function registerSeriesRoute(app: RestApp, { store }: { readonly store: SeriesStore }, shared: SharedAnswers): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/series', (request, reply) =>
    shared.answer(request, reply, () => readSeries(store, keyOf(request).ownerId, request.query)),
  )
}

interface Query {
  readonly endpoint?: string | undefined
  readonly gpu?: string | undefined
  readonly points: number
  readonly from?: number | undefined
  readonly to?: number | undefined
}

async function readSeries(store: SeriesStore, ownerId: string, query: Query): Promise<SeriesView> {
  const { endpoint, gpu, points, to = Date.now(), from = Math.max(0, to - HOUR_MS) } = query
  if (from >= to) throw new RunyardError('bad_request', '"from" must lie before "to".')
  const own = await ownEndpoints(store, ownerId, endpoint)
  if (gpu !== undefined) return readCard(store, gpu, { from, to, points })
  return readNumbers(store, new Set(own.asked.map(({ id }) => id)), { from, to, points })
}

/** A whole number of the finest steps, so many that no more than `points` are left. */
function stepOf({ from, to, points }: Asked, finestMs: number): number {
  return finestMs * Math.max(1, Math.ceil((to - from) / finestMs / points))
}

async function readNumbers({ history }: SeriesStore, endpoints: ReadonlySet<string>, asked: Asked): Promise<SeriesView> {
  const isFine = asked.from >= Date.now() - MINUTES_MS
  const stepMs = stepOf(asked, isFine ? MINUTE_MS : HOUR_MS)
  const range = { from: asked.from - (asked.from % stepMs), to: asked.to, count: ALL }
  const chunks = isFine ? await history.chunks('minutes', range) : await hoursAndMinutes(history, range)
  const steps = new Map<number, EndpointNumbers>()
  for (const { bytes } of chunks) {
    const { at, rows } = unpackNumbers(bytes) ?? { at: 0, rows: new Map<string, EndpointNumbers>() }
    for (const [endpointId, numbers] of rows) {
      const step = at - (at % stepMs)
      if (endpoints.has(endpointId)) steps.set(step, addNumbers(steps.get(step) ?? NO_NUMBERS, numbers))
    }
  }
  const points = [...steps].toSorted(([a], [b]) => a - b).map(([at, numbers]) => ({ at, ...viewOf(numbers) }))
  return { stepMs, points, total: totalOf([...steps.values()]), samples: [] }
}

/** The hours that are written; from then on, their minutes. The running hour has no others. */
async function hoursAndMinutes(history: Store['history'], range: ChunkRange): Promise<readonly Chunk[]> {
  const hours = await history.chunks('hours', range)
  const last = hours.at(-1)
  const from = last === undefined ? range.from : Math.max(range.from, last.at + HOUR_MS)
  return [...hours, ...(await history.chunks('minutes', { ...range, from }))]
}

function totalOf(all: readonly EndpointNumbers[]): SeriesView['total'] {
  return viewOf(all.reduce(addNumbers, NO_NUMBERS))
}

function viewOf({ waits, waitMin, waitMax, runs, runMin, runMax, ...numbers }: EndpointNumbers): SeriesView['total'] {
  const [wait, run] = [
    { min: waitMin, max: waitMax },
    { min: runMin, max: runMax },
  ]
  const quantiles = {
    waitP50: quantileOf(waits, 0.5, wait),
    waitP95: quantileOf(waits, 0.95, wait),
    runP50: quantileOf(runs, 0.5, run),
    runP95: quantileOf(runs, 0.95, run),
  }
  return { ...numbers, ...orNull(quantiles), ...messageOf(numbers.reason) }
}

/** A later release may know other reasons. */
function messageOf(reason: string | undefined): { readonly message?: string } {
  const known = Reason.safeParse(reason).data
  return known === undefined ? {} : { message: REASONS[known] }
}

function orNull<K extends string>(values: Readonly<Record<K, number | undefined>>): Record<K, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? null])) as Record<K, number | null>
}

async function readCard({ history }: SeriesStore, uuid: string, asked: Asked): Promise<SeriesView> {
  const { from, to } = asked
  const isFine = from >= Date.now() - FINE_MS && to - from <= 2 * HOUR_MS
  const stepMs = stepOf(asked, isFine ? 10_000 : MINUTE_MS)
  const chunks = await history.chunks(isFine ? 'samples' : 'sampleMinutes', { from: from - MINUTE_MS, to, count: ALL })
  const readings = chunks.flatMap(({ bytes }) => readingsOf(bytes, uuid)).filter(({ at }) => at >= from && at < to)
  const steps = [...Map.groupBy(readings, ({ at }) => at - (at % stepMs))].toSorted(([a], [b]) => a - b)
  const samples = steps.flatMap(([at, own]) => {
    const mean = meanSample(own.map(({ sample }) => sample))
    return mean === null ? [] : [{ at, ...mean }]
  })
  return { stepMs, points: [], total: totalOf([]), samples }
}

function readingsOf(chunk: Uint8Array, uuid: string): readonly { readonly at: number; readonly sample: CardSample | null }[] {
  const found = unpackSamples(chunk)
  const own = found?.cards.get(uuid) ?? []
  return own.map((sample, index) => ({ at: (found?.at ?? 0) + index * (found?.stepMs ?? 0), sample }))
}
