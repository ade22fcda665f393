// The port to where large values live: a directory, or a bucket behind S3's API. It knows nothing of jobs or artifacts (ADR 50).
// Contract: `@runyard/testing` runs one conformance suite against each implementation.
import { z } from 'zod'

/** Folders and a last part, joined by slashes. No part begins with a dot or a dash, so a name can leave no directory and hide nothing. */
export const BlobName = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/, 'not a name of a blob')

export type Bytes = Uint8Array<ArrayBuffer>

/** What a stream must be, or its write is refused. */
export interface WriteLimits {
  readonly maxBytes: number
  /** Exactly so many bytes. */
  readonly size?: number | undefined
  /** In hex. */
  readonly sha256?: string | undefined
}

export interface BlobDigest {
  readonly size: number
  /** In hex. */
  readonly sha256: string
}

/** A large file that something holds, such as the tarball of a deployed app. */
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

/** `to` is the first byte that does not belong to it; absent: the end of the blob. */
export interface ByteRange {
  readonly from: number
  readonly to?: number
}

/** To be disposed of where its bytes are not read to their end. */
export interface BlobReader extends AsyncDisposable {
  /** Of the whole blob, whatever the range. */
  readonly size: number
  readonly range: Required<ByteRange>
  /** Can be read once, at the reader's pace. Fails with 'store_unavailable' where the place goes away meanwhile. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Every function throws RunyardError('store_unavailable') while the place is away, full or refuses, and ('bad_request') for a bad name. */
export interface BlobStore {
  /** Whole and durable when it resolves; a reader sees the former blob of that name or this one, never a part. */
  put(name: string, bytes: Bytes): Promise<void>
  /** Undefined: there is no such blob. */
  get(name: string): Promise<Bytes | undefined>
  /**
   * As `put`, of what need not fit into memory. An error of the source is thrown as it is, so a caller aborts by ending the source with
   * an error; then, and where the limits are not kept, the blob of that name stays what it was.
   * @throws RunyardError('payload_too_large') beyond `maxBytes`, ('bad_request') for another size or hash.
   */
  write(name: string, source: AsyncIterable<Uint8Array>, limits: WriteLimits): Promise<BlobDigest>
  /** Undefined: there is no such blob. @throws RunyardError('bad_request') where the range begins beyond the end. */
  read(name: string, range?: ByteRange): Promise<BlobReader | undefined>
  stat(name: string): Promise<BlobStat | undefined>
  /** Names that are not there are fine. */
  delete(names: readonly string[]): Promise<void>
  /** The names below a folder, in no particular order. */
  list(folder: string): AsyncIterable<string>
  /** Removes what unfinished writes below a folder left a day ago or earlier. How many there were. */
  removeLeftovers(folder: string, now: number): Promise<number>
}
