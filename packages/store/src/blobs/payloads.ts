// Large values leave Redis for the blob store. What Redis keeps instead is `@` and the blob's name, which no JSON text begins with; inside a
// record it is the field `blob`, in place of the input or output that is there. Redis is the truth: a blob that it does not name is nothing.
//
// A blob is announced in Redis before it is put, and put before the record that names it. So whatever is in the blob store is on the list
// of jobs with blobs, and the sweep (`sweep-blobs.ts`) deletes by that list alone: of jobs that are gone, never of what it does not know.
import { randomBytes } from 'node:crypto'
import { asJson, RunyardError, type BlobStore, type JsonText } from '@runyard/schema'
import { withMember } from '@runyard/schema/json-join'
import type { Redis } from 'ioredis'
import type { Keys } from '../keys.ts'

/** For so long after its announcement a blob is left alone, whatever its job looks like: a put and one write to Redis take seconds. */
export const GRACE_MS = 10 * 60 * 1000
const MARK = '@'
const RETRY_AFTER_S = 5

export interface JobAt {
  readonly endpointId: string
  readonly jobId: string
}

/** A value as Redis keeps it. */
export interface Kept {
  readonly text: string
  /** Full name of the blob that was put for it. */
  readonly blob: string | undefined
}

export interface Payloads {
  /** Puts a large value into the blob store; a small one stays what it is. `name` is the blob's, within its job. */
  keep(at: JobAt, name: () => string, value: JsonText): Promise<Kept>
  /** A record's text (`stored-values.ts`); where that is large, without its value, which is in a blob. */
  pack(at: JobAt, record: PackedRecord): Promise<Kept>
  /** To be called with what the write to Redis came to; when that is unknown, not at all. */
  conclude(at: JobAt, kept: Kept, written: boolean): void
  /** What a text from Redis stands for; undefined where its blob is gone. */
  load(at: JobAt, text: string): Promise<JsonText | undefined>
  /** A blob that Redis names no more. Failures are the sweep's business. */
  discard(at: JobAt, text: string): void
}

/** What a record is about, and the value that it carries. */
export interface PackedRecord {
  readonly head: object
  readonly field: 'input' | 'output'
  readonly value: JsonText | undefined
}

interface Deps {
  readonly client: Redis
  readonly keys: Keys
  readonly onError: (error: Error) => void
  readonly blobs: { readonly store: BlobStore; readonly thresholdBytes: number } | undefined
  readonly instanceId: () => Promise<string>
}

export const isReference = (text: string): boolean => text.startsWith(MARK)
export const newName = (kind: string) => (): string => `${kind}-${randomBytes(9).toString('base64url')}`

/** A folder per job; those of an endpoint are spread over as many as its ids' first letters make. */
export function folderOf(instanceId: string, { endpointId, jobId }: JobAt): string {
  return `${instanceId}/${endpointId}/${jobId.slice(0, 2)}/${jobId}`
}

export const memberOf = ({ endpointId, jobId }: JobAt): string => `${endpointId}/${jobId}`

export function createPayloads({ client, keys, onError, blobs, instanceId }: Deps): Payloads {
  const threshold = blobs?.thresholdBytes ?? Infinity
  const fullName = async (at: JobAt, name: string): Promise<string> => `${folderOf(await instanceId(), at)}/${name}`
  /** A result that is held while the place is away would keep it a secret. */
  const told = async <T>(work: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof Error) onError(error)
      throw error
    }
  }
  const remove = async (blob: string): Promise<void> => blobs?.store.delete([blob])

  const put = async (at: JobAt, name: string, value: JsonText): Promise<Kept> => {
    const announcedAt = Date.now()
    await client.zadd(keys.blobs, 'GT', announcedAt + GRACE_MS, memberOf(at))
    const blob = await fullName(at, name)
    await told(blobs?.store.put(blob, typeof value === 'string' ? Buffer.from(value) : value))
    // A machine that slept meanwhile may find it swept already.
    if (Date.now() - announcedAt > GRACE_MS / 2) {
      throw new RunyardError('store_unavailable', 'The blob store was too slow to take a large value.', { retryAfterS: RETRY_AFTER_S })
    }
    return { text: MARK + name, blob }
  }
  const keep: Payloads['keep'] = async (at, name, value) =>
    isLarger(value, threshold) ? put(at, name(), value) : { text: toText(value), blob: undefined }

  return {
    keep,

    async pack(at, { head, field, value }) {
      if (value === undefined) return { text: JSON.stringify(head), blob: undefined }
      const kept = await keep(at, newName(field), value)
      const text = kept.blob === undefined ? withMember(head, field, asJson(kept.text)) : JSON.stringify({ ...head, blob: kept.text })
      return { text: toText(text), blob: kept.blob }
    },

    conclude(at, { blob }, written) {
      if (blob === undefined) return
      const done = written ? client.zadd(keys.blobs, 'XX', Date.now(), memberOf(at)) : remove(blob)
      done.catch(onError)
    },

    async load(at, text) {
      if (!isReference(text)) return asJson(text)
      if (blobs === undefined) throw new RunyardError('internal', 'This process was opened without a blob store.')
      const bytes = await told(blobs.store.get(await fullName(at, text.slice(MARK.length))))
      return bytes === undefined ? undefined : asJson(bytes)
    },

    discard(at, text) {
      if (!isReference(text)) return
      fullName(at, text.slice(MARK.length)).then(remove).catch(onError)
    },
  }
}

/** In UTF-8. A letter takes one to three bytes, so most texts are told by their length. */
function isLarger(text: string | Uint8Array, bytes: number): boolean {
  if (typeof text !== 'string') return text.length > bytes
  if (text.length * 3 <= bytes) return false
  return text.length > bytes || Buffer.byteLength(text) > bytes
}

/** As Redis is told. */
export function toText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
}
