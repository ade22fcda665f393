// Ended jobs as the history keeps them (ADR 79): some 30 bytes each, many to a chunk. Inputs and outputs are not in it.
import { JobStatus } from '@runyard/schema'
import { END_CAUSES, type EndCause, type JobEnd } from '../job-end.ts'
import { defined } from '../management/defined.ts'
import { fingerprintOf, headlineOf } from './fingerprint.ts'
import { createPacker, createTexts, createUnpacker, readTexts, type Unpacker } from './packed.ts'

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
/** `sync-`, a UUID, `-u1`: 16 bytes instead of 39. */
const USUAL_ID = /^(sync-)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-u1$/u

/** Times are stored as distances: from the end of the job to that of the chunk's latest, and back to its start and its submission. */
export function packJobs(jobs: readonly PastJob[]): Uint8Array {
  const packer = createPacker()
  const texts = createTexts()
  const rows = jobs.map(({ endpointId, workerId, keyId, fingerprint, error }) => ({
    always: [texts.placeOf(endpointId), texts.placeOf(workerId)],
    rare: [keyId, fingerprint, error].map((text) => texts.placeOf(text)),
  }))
  const latest = Math.max(0, ...jobs.map(({ endedAt }) => endedAt))
  packer.number(VERSION)
  packer.number(latest)
  texts.writeTo(packer)
  packer.number(jobs.length)
  for (const [index, job] of jobs.entries()) {
    const { id, status, cause, submittedAt, startedAt, endedAt, retries } = job
    const { always, rare } = rows[index] ?? { always: [], rare: [] }
    const usual = USUAL_ID.exec(id)
    const form = usual === null ? 0 : usual[1] === undefined ? 1 : 2
    // The form of the id, and which of the rare texts there are.
    packer.number(form + 3 * rare.reduce((bits, place, bit) => bits + (place > 0 ? 2 ** bit : 0), 0))
    if (usual === null) packer.text(id)
    else packer.raw(bytesOf(usual[2] ?? ''))
    packer.number(latest - endedAt)
    packer.number(startedAt === undefined ? 0 : endedAt - startedAt + 1)
    packer.number((startedAt ?? endedAt) - submittedAt)
    packer.number(JobStatus.options.indexOf(status) * END_CAUSES.length + END_CAUSES.indexOf(cause))
    packer.number(retries)
    for (const place of [...always, ...rare.filter((one) => one > 0)]) packer.number(place)
  }
  return packer.finish()
}

/** In the order in which they were packed. Nothing of a chunk that a later release wrote in another form. */
export function unpackJobs(chunk: Uint8Array): readonly PastJob[] {
  const unpacker = createUnpacker(chunk)
  if (unpacker.number() !== VERSION) return []
  const latest = unpacker.number()
  const textAt = readTexts(unpacker)
  const jobs: PastJob[] = []
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) jobs.push(readJob(unpacker, latest, textAt))
  return jobs
}

function readJob(unpacker: Unpacker, latest: number, textAt: (place: number) => string | undefined): PastJob {
  const first = unpacker.number()
  const [form, bits] = [first % 3, Math.floor(first / 3)]
  const id = readId(unpacker, form)
  const endedAt = latest - unpacker.number()
  const ran = unpacker.number()
  const startedAt = ran === 0 ? undefined : endedAt - ran + 1
  const submittedAt = (startedAt ?? endedAt) - unpacker.number()
  const word = unpacker.number()
  const retries = unpacker.number()
  const [endpointId = '', workerId] = [0, 1].map(() => textAt(unpacker.number()))
  const [keyId, fingerprint, error] = [1, 2, 4].map((bit) => (Math.floor(bits / bit) % 2 === 1 ? textAt(unpacker.number()) : undefined))
  const status = JobStatus.options[Math.floor(word / END_CAUSES.length)] ?? 'FAILED'
  const cause = END_CAUSES[word % END_CAUSES.length] ?? 'result'
  return defined({ id, endpointId, status, cause, submittedAt, startedAt, endedAt, retries, workerId, keyId, fingerprint, error })
}

function readId(unpacker: Unpacker, form: number): string {
  if (form === 0) return unpacker.text()
  return `${form === 2 ? 'sync-' : ''}${uuidOf(unpacker.raw(16))}-u1`
}

function bytesOf(uuid: string): readonly number[] {
  const digits = uuid.replaceAll('-', '')
  return Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16))
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => HEX[byte]).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The 16 bytes that a chunk has somewhere if it contains this job; undefined for an id of another form. */
export function idBytesOf(jobId: string): Uint8Array<ArrayBuffer> | undefined {
  const usual = USUAL_ID.exec(jobId)
  return usual?.[2] === undefined ? undefined : Uint8Array.from(bytesOf(usual[2]))
}
