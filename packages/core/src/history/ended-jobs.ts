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

/** In the order in which they were packed. Nothing of a chunk that a later release wrote in another form. */
export function unpackJobs(chunk: Uint8Array): readonly PastJob[] {
  const unpacker = createUnpacker(chunk)
  if (unpacker.number() !== VERSION) return []
  const latest = unpacker.number()
  const textAt = readTexts(unpacker)
  const reading = { chunk, unpacker }
  const jobs: PastJob[] = []
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) jobs.push(readJob(reading, latest, textAt))
  return jobs
}

interface Reading {
  readonly chunk: Uint8Array
  readonly unpacker: Unpacker
}

function readJob({ chunk, unpacker }: Reading, latest: number, textAt: (place: number) => string | undefined): PastJob {
  const first = unpacker.number()
  const [form, bits] = [first % 3, Math.floor(first / 3)]
  const id = form === 0 ? unpacker.text() : idAt(chunk, unpacker.skip(16), form)
  const endedAt = latest - unpacker.number()
  const ran = unpacker.number()
  const startedAt = ran === 0 ? undefined : endedAt - ran + 1
  const submittedAt = (startedAt ?? endedAt) - unpacker.number()
  const word = unpacker.number()
  const retries = unpacker.number()
  const endpointId = textAt(unpacker.number()) ?? ''
  const workerId = textAt(unpacker.number())
  const status = JobStatus.options[Math.floor(word / END_CAUSES.length)] ?? 'FAILED'
  const cause = END_CAUSES[word % END_CAUSES.length] ?? 'result'
  const job: Writable = { id, endpointId, status, cause, submittedAt, endedAt, retries }
  // A search unpacks a million jobs: no detour over entries.
  if (startedAt !== undefined) job.startedAt = startedAt
  if (workerId !== undefined) job.workerId = workerId
  if (bits > 0) readRare(job, bits, () => textAt(unpacker.number()) ?? '')
  return job
}

type Writable = { -readonly [N in keyof PastJob]: PastJob[N] }

function readRare(job: Writable, bits: number, next: () => string): void {
  if ((bits & 1) !== 0) job.keyId = next()
  if ((bits & 2) !== 0) job.fingerprint = next()
  if ((bits & 4) !== 0) job.error = next()
}

function idAt(chunk: Uint8Array, at: number, form: number): string {
  const uuid = uuidAt(chunk, at)
  return form === 2 ? `sync-${uuid}-u1` : `${uuid}-u1`
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
