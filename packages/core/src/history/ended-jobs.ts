// Ended jobs as the history keeps them (ADR 79): some 30 bytes each, many to a chunk. Inputs and outputs are not in it.
import { JobStatus } from '@runyard/schema'
import { END_CAUSES, type EndCause, type JobEnd } from '../job-end.ts'
import { defined } from '../management/defined.ts'
import { fingerprintOf, headlineOf } from './fingerprint.ts'
import { createPacker, createTexts, createUnpacker, readTexts, uuidAt, type Packer, type Unpacker } from './packed.ts'

export interface PastJob {
  readonly id: string
  readonly endpointId: string
  readonly status: JobStatus
  readonly cause: EndCause
  /** Epoch ms, as the others. */
  readonly submittedAt: number
  /** Of the last attempt; absent: it never started, or that is not known. */
  readonly startedAt?: number
  readonly endedAt: number
  readonly retries: number
  readonly workerId?: string
  /** Absent where it was not known to the process that ended the job. */
  readonly keyId?: string
  /** Of its error, and the beginning of that. */
  readonly fingerprint?: string
  readonly error?: string
}

export function toPastJob(endpointId: string, { cause, job }: JobEnd): PastJob {
  const { id, status, submittedAt, startedAt, settledAt, workerId, retries, error, keyId } = job
  const isFailure = error !== undefined && (status === 'FAILED' || status === 'TIMED_OUT')
  const facts = { id, endpointId, status, cause, submittedAt, startedAt, endedAt: settledAt ?? submittedAt, retries, workerId, keyId }
  return defined({ ...facts, ...(isFailure ? { fingerprint: fingerprintOf(error), error: headlineOf(error) } : {}) })
}

/** Ended jobs, and the beginnings of their errors by fingerprint: one error ends many jobs. */
export interface KeptEnds {
  readonly jobs: readonly PastJob[]
  readonly texts: Readonly<Record<string, string>>
}

/** Of an error. */
const TEXT_LENGTH = 2048

export function toKeptEnds(ends: readonly (readonly [endpointId: string, end: JobEnd])[]): KeptEnds {
  const texts: Record<string, string> = {}
  const jobs = ends.map(([endpointId, end]) => {
    const job = toPastJob(endpointId, end)
    if (job.fingerprint !== undefined) texts[job.fingerprint] ??= (end.job.error ?? '').slice(0, TEXT_LENGTH)
    return job
  })
  return { jobs, texts }
}

const VERSION = 1
/** Of the key, the fingerprint, the error. */
const RARE_BITS = [1, 2, 4] as const
/** `sync-`, a UUID, `-u1`: 16 bytes instead of 39. */
const USUAL_ID = /^(sync-)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-u1$/u

/** Times are stored as distances: from the end of the job to that of the chunk's latest, and back to its start and its submission. */
export function packJobs(jobs: readonly PastJob[]): Uint8Array {
  const packer = createPacker()
  const texts = createTexts()
  for (const { endpointId, workerId, keyId, fingerprint, error } of jobs)
    for (const text of [endpointId, workerId, keyId, fingerprint, error]) texts.placeOf(text)
  const latest = Math.max(0, ...jobs.map(({ endedAt }) => endedAt))
  packer.number(VERSION)
  packer.number(latest)
  texts.writeTo(packer)
  packer.number(jobs.length)
  for (const job of jobs) writeJob(packer, job, { latest, placeOf: texts.placeOf })
  return packer.finish()
}

interface InChunk {
  readonly latest: number
  readonly placeOf: (text: string | undefined) => number
}

function writeJob(packer: Packer, job: PastJob, { latest, placeOf }: InChunk): void {
  const { id, status, cause, submittedAt, startedAt, endedAt, retries } = job
  const rare = [placeOf(job.keyId), placeOf(job.fingerprint), placeOf(job.error)]
  const usual = USUAL_ID.exec(id)
  const form = usual === null ? 0 : usual[1] === undefined ? 1 : 2
  // The form of the id, and which of the rare texts there are.
  packer.number(form + 3 * RARE_BITS.reduce<number>((bits, bit, at) => bits + ((rare[at] ?? 0) > 0 ? bit : 0), 0))
  if (usual === null) packer.text(id)
  else packer.raw(bytesOf(usual[2] ?? ''))
  packer.number(latest - endedAt)
  packer.number(startedAt === undefined ? 0 : endedAt - startedAt + 1)
  packer.number((startedAt ?? endedAt) - submittedAt)
  packer.number(JobStatus.options.indexOf(status) * END_CAUSES.length + END_CAUSES.indexOf(cause))
  packer.number(retries)
  packer.number(placeOf(job.endpointId))
  packer.number(placeOf(job.workerId))
  for (const place of rare) if (place > 0) packer.number(place)
}

/** A job as it stands in a chunk. Texts are places in the chunk's own, 0 for none. */
export interface PackedJob {
  /** Where the 16 bytes of its id are; -1: the id is `otherId`. */
  idAt: number
  isSync: boolean
  otherId: string
  endedAt: number
  /** NaN: it never started, or that is not known. */
  startedAt: number
  submittedAt: number
  status: JobStatus
  cause: EndCause
  retries: number
  endpoint: number
  worker: number
  key: number
  fingerprint: number
  error: number
}

/**
 * In the order in which they were packed; nothing of a chunk that a later release wrote in another form. `take` gets the same record each time, with
 * other values: a search reads a million jobs.
 */
export function eachPackedJob(chunk: Uint8Array, take: (job: PackedJob, textAt: TextAt) => void): void {
  const unpacker = createUnpacker(chunk)
  if (unpacker.number() !== VERSION) return
  const latest = unpacker.number()
  const textAt = readTexts(unpacker)
  const job = emptyJob()
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) {
    readInto(job, unpacker, latest)
    take(job, textAt)
  }
}

type TextAt = (place: number) => string | undefined

function emptyJob(): PackedJob {
  const times = { endedAt: 0, startedAt: 0, submittedAt: 0, retries: 0 }
  const places = { endpoint: 0, worker: 0, key: 0, fingerprint: 0, error: 0 }
  return { idAt: -1, isSync: false, otherId: '', status: 'FAILED', cause: 'result', ...times, ...places }
}

function readInto(job: PackedJob, unpacker: Unpacker, latest: number): void {
  const first = unpacker.number()
  const [form, bits] = [first % 3, Math.floor(first / 3)]
  job.otherId = form === 0 ? unpacker.text() : ''
  job.idAt = form === 0 ? -1 : unpacker.skip(16)
  job.isSync = form === 2
  job.endedAt = latest - unpacker.number()
  const ran = unpacker.number()
  job.startedAt = ran === 0 ? Number.NaN : job.endedAt - ran + 1
  job.submittedAt = (ran === 0 ? job.endedAt : job.startedAt) - unpacker.number()
  const word = unpacker.number()
  job.status = JobStatus.options[Math.floor(word / END_CAUSES.length)] ?? 'FAILED'
  job.cause = END_CAUSES[word % END_CAUSES.length] ?? 'result'
  job.retries = unpacker.number()
  job.endpoint = unpacker.number()
  job.worker = unpacker.number()
  job.key = (bits & 1) === 0 ? 0 : unpacker.number()
  job.fingerprint = (bits & 2) === 0 ? 0 : unpacker.number()
  job.error = (bits & 4) === 0 ? 0 : unpacker.number()
}

export function unpackJobs(chunk: Uint8Array): readonly PastJob[] {
  const jobs: PastJob[] = []
  eachPackedJob(chunk, (job, textAt) => {
    jobs.push(toJob(job, chunk, textAt))
  })
  return jobs
}

function toJob(packed: PackedJob, chunk: Uint8Array, textAt: TextAt): PastJob {
  const { idAt, isSync, otherId, status, cause, submittedAt, startedAt, endedAt, retries } = packed
  const id = idAt < 0 ? otherId : usualId(chunk, idAt, isSync)
  const text = (place: number): string => textAt(place) ?? ''
  const job: Writable = { id, endpointId: text(packed.endpoint), status, cause, submittedAt, endedAt, retries }
  // No detour over entries, for the same reason.
  if (!Number.isNaN(startedAt)) job.startedAt = startedAt
  if (packed.worker > 0) job.workerId = text(packed.worker)
  if (packed.key > 0) job.keyId = text(packed.key)
  if (packed.fingerprint > 0) job.fingerprint = text(packed.fingerprint)
  if (packed.error > 0) job.error = text(packed.error)
  return job
}

type Writable = { -readonly [N in keyof PastJob]: PastJob[N] }

/** The id whose 16 bytes begin at `at`. */
export function usualId(bytes: Uint8Array, at: number, isSync: boolean): string {
  const uuid = uuidAt(bytes, at)
  return isSync ? `sync-${uuid}-u1` : `${uuid}-u1`
}

function bytesOf(uuid: string): readonly number[] {
  const bytes: number[] = []
  for (let at = 0; at + 1 < uuid.length; at += 2) {
    if (uuid.charCodeAt(at) === DASH) at += 1
    bytes.push(nibble(uuid.charCodeAt(at)) * 16 + nibble(uuid.charCodeAt(at + 1)))
  }
  return bytes
}

const DASH = 0x2d
/** Of a digit or a letter from a to f. */
const nibble = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57)

/** The 16 bytes that a chunk has somewhere if it contains this job; undefined for an id of another form. */
export function idBytesOf(jobId: string): Uint8Array<ArrayBuffer> | undefined {
  const usual = USUAL_ID.exec(jobId)
  return usual?.[2] === undefined ? undefined : Uint8Array.from(bytesOf(usual[2]))
}
