// The port to where large values live: a directory, or a bucket behind S3's API. It knows nothing of jobs.
// Contract: `@runyard/testing` runs one conformance suite against each implementation.
import { z } from 'zod'

/** Folders and a last part, joined by slashes. No part begins with a dot or a dash, so a name can leave no directory and hide nothing. */
export const BlobName = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/, 'not a name of a blob')

export type Bytes = Uint8Array<ArrayBuffer>

/** Every function throws RunyardError('store_unavailable') while the place is away, full or refuses, and ('bad_request') for a bad name. */
export interface BlobStore {
  /** Whole and durable when it resolves; a reader sees the former blob of that name or this one, never a part. */
  put(name: string, bytes: Bytes): Promise<void>
  /** Undefined: there is no such blob. */
  get(name: string): Promise<Bytes | undefined>
  /** Names that are not there are fine. */
  delete(names: readonly string[]): Promise<void>
  /** The names below a folder, in no particular order. */
  list(folder: string): AsyncIterable<string>
}
