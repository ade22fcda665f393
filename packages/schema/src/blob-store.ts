// The port of the blob store, which holds large values: a directory, or a bucket behind S3's API. It does not know jobs or artifacts (ADR 50).
// Contract: `@runyard/testing` runs one conformance suite against each implementation.
import { z } from 'zod'

/** Folders and a last part, joined by slashes. No part begins with a dot or a dash, so a name cannot leave its directory or be a hidden file. */
export const BlobName = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/, 'not a name of a blob')

export type Bytes = Uint8Array<ArrayBuffer>

/** The limits of a stream; a write that breaks them is rejected. */
export interface WriteLimits {
  readonly maxBytes: number
  /** Exact number of bytes. */
  readonly size?: number | undefined
  /** Hexadecimal. */
  readonly sha256?: string | undefined
}

export interface BlobDigest {
  readonly size: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** A large file with an owner, such as the tarball of a deployed app. */
export const Artifact = z.object({
  id: z.string(),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Epoch ms. */
  writtenAt: z.int(),
})
export type Artifact = z.infer<typeof Artifact>

export interface BlobStat {
  readonly size: number
  /** Epoch ms. */
  readonly writtenAt: number
}

/** `to` is exclusive; absent: the end of the blob. */
export interface ByteRange {
  readonly from: number
  readonly to?: number
}

/** Dispose of it if its bytes are not read to the end. */
export interface BlobReader extends AsyncDisposable {
  /** The size of the whole blob, whatever the range. */
  readonly size: number
  readonly range: Required<ByteRange>
  /** Can be read once, at the reader's pace. Fails with 'store_unavailable' if the storage becomes unavailable. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Every function throws RunyardError('store_unavailable') if the storage is unavailable, full or rejects a request, ('bad_request') for a bad name. */
export interface BlobStore {
  /** Complete and durable when it resolves. A reader sees either the former blob of that name or this one, never a part. */
  put(name: string, bytes: Bytes): Promise<void>
  /** Undefined: there is no such blob. */
  get(name: string): Promise<Bytes | undefined>
  /**
   * Like `put`, for a value that may not fit into memory. An error of the source is thrown unchanged, so a caller aborts by ending the source with
   * an error. Then, and if a limit is broken, the former blob of that name stays.
   * @throws RunyardError('payload_too_large') beyond `maxBytes`, ('bad_request') for another size or hash.
   */
  write(name: string, source: AsyncIterable<Uint8Array>, limits: WriteLimits): Promise<BlobDigest>
  /** Undefined: there is no such blob. @throws RunyardError('bad_request') if the range starts after the end. */
  read(name: string, range?: ByteRange): Promise<BlobReader | undefined>
  stat(name: string): Promise<BlobStat | undefined>
  /** Ignores missing names. */
  delete(names: readonly string[]): Promise<void>
  /** The names below a folder, in no particular order. */
  list(folder: string): AsyncIterable<string>
  /** Removes what incomplete writes below a folder left a day ago or earlier; returns their number. */
  removeLeftovers(folder: string, now: number): Promise<number>
}
