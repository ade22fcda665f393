// Numbers of endpoints over a minute or an hour (ADR 79): what ended and how, how long it waited and ran, the queue, the workers. Sums add up and the
// highest of two is the highest of both, so that any number of minutes is one row again.
import type { PastJob } from './ended-jobs.ts'
import { createPacker, createTexts, createUnpacker, readTexts, type Packer, type Unpacker } from './packed.ts'

/** How many waits or runs were at most 10 ms, 20 ms, 40 ms … 328 s; the last place has all longer ones. */
export type Spans = readonly number[]
export const SPAN_BUCKETS = 17
/** The upper end of a place, in ms. */
export const spanBound = (place: number): number => (place === SPAN_BUCKETS - 1 ? Infinity : 10 * 2 ** place)

const COUNTED = ['accepted', 'completed', 'failed', 'cancelled', 'timedOut', 'retried'] as const
const HIGHEST = ['queue', 'oldestS', 'throttled', 'starting', 'idle', 'busy', 'draining', 'waitMax', 'runMax'] as const
/** Of those that are known: 0 is none, as in minutes that an earlier release wrote. */
const LOWEST = ['waitMin', 'runMin'] as const
/** In the order in which they are stored. Only append to it. */
const STORED = [...COUNTED, ...HIGHEST, ...LOWEST] as const

export type EndpointNumbers = { readonly [N in (typeof STORED)[number]]: number } & {
  readonly waits: Spans
  readonly runs: Spans
  /** Why workers were throttled, the latest reason. */
  readonly reason?: string | undefined
}

export const NO_NUMBERS: EndpointNumbers = {
  accepted: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  timedOut: 0,
  retried: 0,
  queue: 0,
  oldestS: 0,
  throttled: 0,
  starting: 0,
  idle: 0,
  busy: 0,
  draining: 0,
  waitMax: 0,
  runMax: 0,
  waitMin: 0,
  runMin: 0,
  waits: [],
  runs: [],
}

export function addNumbers(one: EndpointNumbers, other: EndpointNumbers): EndpointNumbers {
  const sums = COUNTED.map((name) => [name, one[name] + other[name]])
  const maxima = HIGHEST.map((name) => [name, Math.max(one[name], other[name])])
  const minima = LOWEST.map((name) => [name, lowestOf(one[name], other[name])])
  const reason = other.reason ?? one.reason
  return {
    ...one,
    ...Object.fromEntries([...sums, ...maxima, ...minima]),
    waits: addSpans(one.waits, other.waits),
    runs: addSpans(one.runs, other.runs),
    ...(reason === undefined ? {} : { reason }),
  }
}

const lowestOf = (one: number, other: number): number => (one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other))

function addSpans(one: Spans, other: Spans): Spans {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, place) => (one[place] ?? 0) + (other[place] ?? 0))
}

const ENDS = { COMPLETED: 'completed', FAILED: 'failed', CANCELLED: 'cancelled', TIMED_OUT: 'timedOut' } as const

/** One ended job. */
export function numbersOf({ status, submittedAt, startedAt, endedAt, retries }: PastJob): EndpointNumbers {
  const name = status in ENDS ? ENDS[status as keyof typeof ENDS] : 'failed'
  const spans = startedAt === undefined ? {} : spansOf(Math.max(1, startedAt - submittedAt), Math.max(1, endedAt - startedAt))
  return { ...NO_NUMBERS, [name]: 1, retried: retries, ...spans }
}

function spansOf(wait: number, run: number): Partial<EndpointNumbers> {
  return { waits: spanOf(wait), waitMin: wait, waitMax: wait, runs: spanOf(run), runMin: run, runMax: run }
}

function spanOf(ms: number): Spans {
  const place = Math.min(SPAN_BUCKETS - 1, Math.max(0, Math.ceil(Math.log2(ms / 10))))
  return Array.from({ length: place + 1 }, (_, at) => (at === place ? 1 : 0))
}

/** The shortest and the longest, in ms; 0: not known. */
interface Bounds {
  readonly min: number
  readonly max: number
}

/** About the time below which the share lies, in ms, and never outside of what there was; undefined: there were none. */
export function quantileOf(spans: Spans, share: number, { min, max }: Bounds = { min: 0, max: 0 }): number | undefined {
  const found = estimate(spans, share)
  return found === undefined ? undefined : Math.max(min, Math.min(max === 0 ? Infinity : max, found))
}

function estimate(spans: Spans, share: number): number | undefined {
  const total = spans.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let below = 0
  for (const [place, count] of spans.entries()) {
    const wanted = share * total - below
    below += count
    if (below < share * total) continue
    const [low, high] = [place === 0 ? 0 : spanBound(place - 1), Math.min(spanBound(place), 20 * 2 ** (SPAN_BUCKETS - 2))]
    return low + (high - low) * (wanted / count)
  }
  return undefined
}

const VERSION = 1

/** `rows` by endpoint. */
export function packNumbers(at: number, rows: ReadonlyMap<string, EndpointNumbers>): Uint8Array {
  const packer = createPacker()
  const texts = createTexts()
  const places = [...rows].map(([endpointId, { reason }]) => [texts.placeOf(endpointId), texts.placeOf(reason)])
  packer.number(VERSION)
  packer.number(at)
  texts.writeTo(packer)
  packer.number(rows.size)
  for (const [index, row] of [...rows.values()].entries()) {
    for (const place of places[index] ?? []) packer.number(place)
    writeSparse(
      packer,
      STORED.map((name) => row[name]),
    )
    writeSparse(packer, row.waits)
    writeSparse(packer, row.runs)
  }
  return packer.finish()
}

/** Most are zero. */
function writeSparse(packer: Packer, values: readonly number[]): void {
  const set = [...values.entries()].filter(([, value]) => value > 0)
  packer.number(set.length)
  for (const [place, value] of set) {
    packer.number(place)
    packer.number(Math.ceil(value))
  }
}

function readSparse(unpacker: Unpacker): readonly number[] {
  const values: number[] = []
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) {
    const place = Math.min(63, unpacker.number())
    while (values.length < place) values.push(0)
    values[place] = unpacker.number()
  }
  return values
}

/** Undefined for a chunk that a later release wrote in another form. */
export function unpackNumbers(chunk: Uint8Array): { readonly at: number; readonly rows: ReadonlyMap<string, EndpointNumbers> } | undefined {
  const unpacker = createUnpacker(chunk)
  if (unpacker.number() !== VERSION) return undefined
  const at = unpacker.number()
  const textAt = readTexts(unpacker)
  const rows = new Map<string, EndpointNumbers>()
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) {
    const [endpointId = '', reason] = [textAt(unpacker.number()), textAt(unpacker.number())]
    const numbers = readSparse(unpacker)
    const named = Object.fromEntries(STORED.map((name, place) => [name, numbers[place] ?? 0]))
    const spans = { waits: readSparse(unpacker), runs: readSparse(unpacker) }
    rows.set(endpointId, { ...NO_NUMBERS, ...named, ...spans, ...(reason === undefined ? {} : { reason }) })
  }
  return { at, rows }
}
