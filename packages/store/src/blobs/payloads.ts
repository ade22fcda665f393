// Stores large values in the blob store. Redis then keeps `@` and the blob's name, because no JSON text begins with `@`; inside a record it is the
// field `blob`, in place of the input or output. Redis is the source of truth: a blob that it does not name does not count.
//
// A blob is announced in Redis before it is written, and written before the record that names it. So every blob belongs to a job on the list of
// jobs with blobs, and the sweep (`sweep-blobs.ts`) deletes only by that list: blobs of deleted jobs, never unknown ones.
import { randomBytes } from 'node:crypto'
import { asJson, RunyardError, type BlobStore, type JsonText } from '@runyard/schema'
import { withMember } from '@runyard/schema/json-join'
import type { Redis } from 'ioredis'
import type { Keys } from '../keys.ts'

/** The sweep keeps a blob for this long after its announcement, because writing it and its record takes seconds. */
export const GRACE_MS = 10 * 60 * 1000
const MARK = '@'
const RETRY_AFTER_S = 5

export interface JobAt {
  readonly endpointId: string
  readonly jobId: string
}

/** A value as it is stored in Redis. */
export interface Kept {
  readonly text: string
  /** Full name of the blob that was written for it. */
  readonly blob: string | undefined
}

export interface Payloads {
  /** Writes a large value to the blob store; a small one stays unchanged. `name`: the blob's name within its job. */
  keep(at: JobAt, name: () => string, value: JsonText): Promise<Kept>
  /** A record's text (`stored-values.ts`), at once; a large value goes into a blob first. */
  pack(at: JobAt, record: PackedRecord): Kept | Promise<Kept>
  /** Call it with the result of the write to Redis, unless that is unknown. */
  conclude(at: JobAt, kept: Kept, written: boolean): void
  /** The value of a text from Redis; undefined if its blob no longer exists. */
  load(at: JobAt, text: string): Promise<JsonText | undefined>
  /** Deletes a blob that Redis no longer names. After a failure the sweep deletes it. */
  discard(at: JobAt, text: string): void
}

/** A record's head and its value. */
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

/** A folder per job. The jobs of an endpoint are spread over folders named by the first two letters of their ids. */
export function folderOf(instanceId: string, { endpointId, jobId }: JobAt): string {
  return `${instanceId}/${endpointId}/${jobId.slice(0, 2)}/${jobId}`
}

export const memberOf = ({ endpointId, jobId }: JobAt): string => `${endpointId}/${jobId}`

export function createPayloads({ client, keys, onError, blobs, instanceId }: Deps): Payloads {
  const threshold = blobs?.thresholdBytes ?? Infinity
  const fullName = async (at: JobAt, name: string): Promise<string> => `${folderOf(await instanceId(), at)}/${name}`
  /** Reports failures, because a result that is held while the blob store is unavailable would hide them. */
  const reported = async <T>(work: Promise<T> | undefined): Promise<T | undefined> => {
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
    await reported(blobs?.store.put(blob, typeof value === 'string' ? Buffer.from(value) : value))
    // If the machine slept meanwhile, the sweep may have deleted the blob.
    if (Date.now() - announcedAt > GRACE_MS / 2) {
      throw new RunyardError('store_unavailable', 'The blob store was too slow to take a large value.', { retryAfterS: RETRY_AFTER_S })
    }
    return { text: MARK + name, blob }
  }
  const keep: Payloads['keep'] = async (at, name, value) =>
    isLarger(value, threshold) ? put(at, name(), value) : { text: toText(value), blob: undefined }

  return {
    keep,

    pack(at, { head, field, value }) {
      if (value === undefined) return { text: JSON.stringify(head), blob: undefined }
      if (!isLarger(value, threshold)) return { text: toText(withMember(head, field, value)), blob: undefined }
      return put(at, newName(field)(), value).then(({ text, blob }) => ({ text: JSON.stringify({ ...head, blob: text }), blob }))
    },

    conclude(at, { blob }, written) {
      if (blob === undefined) return
      const done = written ? client.zadd(keys.blobs, 'XX', Date.now(), memberOf(at)) : remove(blob)
      done.catch(onError)
    },

    async load(at, text) {
      if (!isReference(text)) return asJson(text)
      if (blobs === undefined) throw new RunyardError('internal', 'This process was opened without a blob store.')
      const bytes = await reported(blobs.store.get(await fullName(at, text.slice(MARK.length))))
      return bytes === undefined ? undefined : asJson(bytes)
    },

    discard(at, text) {
      if (!isReference(text)) return
      fullName(at, text.slice(MARK.length)).then(remove).catch(onError)
    },
  }
}

/** In UTF-8. A UTF-16 unit takes one to three bytes, so for most texts the length decides. */
function isLarger(text: string | Uint8Array, bytes: number): boolean {
  if (typeof text !== 'string') return text.length > bytes
  if (text.length * 3 <= bytes) return false
  return text.length > bytes || Buffer.byteLength(text) > bytes
}

/** As it is sent to Redis. */
export function toText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
}
