// What happened, for people: ended jobs, failures, lives of workers, samples of cards, numbers of endpoints (ADR 79). Streams of chunks, each written in
// batches by the process that knows the fact anyway; bounded by `history.bytes` and by time. Losing it costs no job, so no other part may depend on it.
import { packJobs, unpackJobs, type PastJob } from '@runyard/core'
import type { StoreContext } from '../context.ts'
import type { Keys } from '../keys.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { nothing, text } from '../scripts/replies.ts'
import { boundsOf, HISTORY_KINDS, type HistoryKind, type StreamKind } from './history-kinds.ts'

/** A failed job with the beginning of its error. */
export interface PastFailure extends PastJob {
  readonly fingerprint: string
  /** At most 2 KiB. */
  readonly text: string
}

export interface Chunk {
  /** Where to read on. */
  readonly id: string
  readonly at: number
  readonly bytes: Uint8Array
}

/** A chunk that more jobs may be added to, by who wrote it. */
export interface OpenChunk {
  readonly id: string
  readonly jobs: readonly PastJob[]
}

/** When a worker was gone. */
export interface LifeEnd {
  readonly id: string
  readonly at: number
}

export interface ChunkRange {
  /** Epoch ms, both included; `to` may be the id of a chunk. */
  readonly from: number
  readonly to: number | string
  /** The id after which to read on; with `newestFirst`, before which. */
  readonly after?: string | undefined
  readonly newestFirst?: boolean
  /** How many at most. */
  readonly count: number
}

/** The texts of failures by fingerprint, since one error ends many jobs. */
interface FailureChunk {
  readonly texts: Readonly<Record<string, string>>
  readonly jobs: readonly PastJob[]
}

type PlainKind = Exclude<StreamKind, 'jobs' | 'failures'>

export interface HistoryStore {
  /** False where `history.bytes` is 0: then nothing is written, and there is nothing to read. */
  readonly isKept: boolean
  /**
   * `texts`: the errors of failed jobs, by fingerprint. With `into` the jobs of that chunk and the new ones become one chunk. Returns the chunk to go on
   * with; undefined where nothing was written.
   */
  addJobs(jobs: readonly PastJob[], texts: Readonly<Record<string, string>>, into?: OpenChunk): Promise<OpenChunk | undefined>
  /** Returns the chunk's id; undefined where nothing is kept. */
  add(kind: PlainKind, chunk: Uint8Array, at: number): Promise<string | undefined>
  /** The same with a chunk that is about the same time as an earlier one, and takes its place. */
  replace(kind: PlainKind, id: string | undefined, entry: { readonly chunk: Uint8Array; readonly at: number }): Promise<string | undefined>
  chunks(kind: StreamKind, range: ChunkRange): Promise<readonly Chunk[]>
  /** Of the chunks of a range, in the order in which they ended, or newest first. */
  jobs(range: ChunkRange): Promise<readonly { readonly id: string; readonly jobs: readonly PastJob[] }[]>
  failures(range: ChunkRange): Promise<readonly { readonly id: string; readonly failures: readonly PastFailure[] }[]>
  /** `at`: when the worker was gone. */
  addLife(id: string, life: string, at: number): Promise<void>
  life(id: string): Promise<string | undefined>
  /** Workers that were gone in the range, latest first. */
  ends(range: { readonly from: number; readonly to: number; readonly count: number }): Promise<readonly LifeEnd[]>
  /** Of each of these workers, in their order; undefined where none is kept. */
  lives(ids: readonly string[]): Promise<readonly (string | undefined)[]>
  /** Jobs that workers have ended, and those of them that failed. */
  jobCounts(workerIds: readonly string[]): Promise<readonly { readonly jobs: number; readonly failed: number }[]>
  /** What each kind weighs, about. */
  bytes(): Promise<Readonly<Record<HistoryKind, number>>>
}

const KEYS = [
  'jobs',
  'failures',
  'samples',
  'sampleMinutes',
  'cardChanges',
  'minutes',
  'hours',
  'lives',
  'lifeRecords',
  'counts',
  'bytes',
] as const
const BOUNDS = {
  bounds: { now: 'number', mostBytes: 'number', expireMs: 'digits' },
  kinds: 'texts',
  shares: 'texts',
  keepMs: 'texts',
} as const

const trimLua = defineLua({ lua: new URL('./trim-history.lua', import.meta.url) })

const addScript = defineScript({
  lua: new URL('./add-history.lua', import.meta.url),
  uses: [trimLua],
  keys: KEYS,
  /** `ended`: a worker, its jobs, and how many of them failed; the next worker. */
  args: { kind: 'text', chunk: 'bytes', at: 'number', replaces: 'text', ...BOUNDS, ended: 'texts' },
  /** The id of the chunk. */
  reply: text,
})

const addLifeScript = defineScript({
  lua: new URL('./add-life.lua', import.meta.url),
  uses: [trimLua],
  keys: KEYS,
  args: { id: 'text', life: 'text', at: 'number', ...BOUNDS },
  reply: nothing,
})

export function createHistoryStore({ client, keys, run, options }: StoreContext): HistoryStore {
  const { history: { bytes: mostBytes, days } = { bytes: 0, days: 1 } } = options
  const isKept = mostBytes > 0
  const { expireMs, ...lists } = boundsOf({ days })
  const bounds = () => ({ ...keys.history, ...lists, bounds: { now: Date.now(), mostBytes, expireMs } })
  const deps = { client, of: keys.history, isKept }

  async function add(kind: StreamKind, entry: Entry): Promise<string> {
    return run(addScript, { ...bounds(), kind, ended: [], replaces: '', ...entry })
  }

  return {
    isKept,
    ...createChunkReads(deps),
    ...createLifeReads(deps),
    add: async (kind, chunk, at) => (isKept ? add(kind, { chunk, at }) : undefined),
    replace: async (kind, id, entry) => (isKept ? add(kind, { ...entry, replaces: id ?? '' }) : undefined),

    async addJobs(added, texts, into) {
      if (added.length === 0 || !isKept) return into
      const jobs = [...(into?.jobs ?? []), ...added]
      const at = Math.max(...added.map(({ endedAt }) => endedAt))
      const failed = added.filter(({ fingerprint }) => fingerprint !== undefined)
      const stored: FailureChunk = { texts, jobs: failed }
      const [id] = await Promise.all([
        add('jobs', { chunk: packJobs(jobs), at, ended: countsOf(added), replaces: into?.id ?? '' }),
        failed.length === 0 ? undefined : add('failures', { chunk: Buffer.from(JSON.stringify(stored)), at }),
      ])
      return { id, jobs }
    },

    async addLife(id, life, at) {
      if (isKept) await run(addLifeScript, { ...bounds(), id, life, at })
    },

    async bytes() {
      const found = await client.hgetall(keys.history.bytes)
      const sizes = Object.keys(HISTORY_KINDS).map((kind) => [kind, Number(found[kind] ?? 0)])
      return Object.fromEntries(sizes) as Record<HistoryKind, number>
    },
  }
}

interface Entry {
  readonly chunk: Uint8Array
  readonly at: number
  readonly ended?: Ended
  readonly replaces?: string
}

/** A worker, its jobs, those that failed; the next worker. */
type Ended = readonly (string | number)[]

interface ReadDeps extends Pick<StoreContext, 'client'> {
  readonly of: Keys['history']
  readonly isKept: boolean
}

function createChunkReads({ client, of, isKept }: ReadDeps): Pick<HistoryStore, 'chunks' | 'jobs' | 'failures'> {
  async function chunks(kind: StreamKind, range: ChunkRange): Promise<readonly Chunk[]> {
    if (!isKept) return []
    const { from, to, after, newestFirst = false, count } = range
    const low = after === undefined || newestFirst ? idAt(Math.floor(from)) : `(${after}`
    const high = after === undefined || !newestFirst ? endOf(to) : `(${after}`
    const rows = newestFirst
      ? await client.xrevrangeBuffer(of[kind], high, low, 'COUNT', count)
      : await client.xrangeBuffer(of[kind], low, high, 'COUNT', count)
    return rows.map(([id, fields]) => toChunk(id.toString(), fields[1]))
  }
  return {
    chunks,

    async jobs(range) {
      return (await chunks('jobs', range)).map(({ id, bytes }) => ({ id, jobs: unpackJobs(bytes) }))
    },

    async failures(range) {
      return (await chunks('failures', range)).map(({ id, bytes }) => ({ id, failures: readFailures(bytes) }))
    },
  }
}

function createLifeReads({ client, of, isKept }: ReadDeps): Pick<HistoryStore, 'life' | 'ends' | 'lives' | 'jobCounts'> {
  return {
    async life(id) {
      return isKept ? ((await client.hget(of.lifeRecords, id)) ?? undefined) : undefined
    },

    async ends({ from, to, count }) {
      if (!isKept) return []
      const found = await client.zrevrangebyscore(of.lives, Math.ceil(to), Math.floor(from), 'WITHSCORES', 'LIMIT', 0, count)
      return Array.from({ length: found.length / 2 }, (_, index) => ({ id: found[2 * index] ?? '', at: Number(found[2 * index + 1]) }))
    },

    async lives(ids) {
      if (!isKept || ids.length === 0) return ids.map(() => undefined)
      return (await client.hmget(of.lifeRecords, ...ids)).map((life) => life ?? undefined)
    },

    async jobCounts(ids) {
      if (!isKept || ids.length === 0) return ids.map(() => ({ jobs: 0, failed: 0 }))
      const found = await client.hmget(of.counts, ...ids.flatMap((id) => [id, `${id} failed`]))
      return ids.map((_, index) => ({ jobs: Number(found[index * 2] ?? 0), failed: Number(found[index * 2 + 1] ?? 0) }))
    },
  }
}

const endOf = (to: number | string): string => (typeof to === 'string' ? to : idAt(Math.ceil(to)))

/** Ids of a stream begin at 0, times of callers do not. */
const idAt = (time: number): string => String(Math.min(Math.max(0, time), Number.MAX_SAFE_INTEGER))

function toChunk(id: string, bytes: Buffer | undefined): Chunk {
  return { id, at: Number(id.slice(0, id.indexOf('-'))), bytes: bytes ?? new Uint8Array() }
}

function countsOf(jobs: readonly PastJob[]): Ended {
  const byWorker = Map.groupBy(
    jobs.filter(({ workerId }) => workerId !== undefined),
    ({ workerId = '' }) => workerId,
  )
  return [...byWorker].flatMap(([id, own]) => [id, own.length, own.filter(({ status }) => status === 'FAILED').length])
}

function readFailures(chunk: Uint8Array): readonly PastFailure[] {
  const { texts, jobs }: FailureChunk = JSON.parse(Buffer.from(chunk).toString())
  return jobs.map((job) => ({ ...job, fingerprint: job.fingerprint ?? '', text: texts[job.fingerprint ?? ''] ?? job.error ?? '' }))
}
