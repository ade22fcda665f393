// Validates names, which contain job ids, and ranges, which come from requests, before they become part of a path or a URL.
import { BlobName, RunyardError, type ByteRange } from '@runyard/schema'

/** @throws RunyardError('bad_request') */
export function checkName(name: string): string {
  const parsed = BlobName.safeParse(name)
  if (!parsed.success) throw new RunyardError('bad_request', `"${name.slice(0, 100)}" cannot name a blob`)
  return parsed.data
}

/** A range contains at least one byte, except for the whole of an empty blob. @throws RunyardError('bad_request') */
export function toWholeRange(range: ByteRange | undefined, size: number): Required<ByteRange> {
  if (range === undefined) return { from: 0, to: size }
  const { from, to = size } = range
  if (from < 0 || from >= size || to <= from) throw outOfRange(from)
  return { from, to: Math.min(to, size) }
}

export function outOfRange(from: number): RunyardError {
  return new RunyardError('bad_request', `The range from byte ${from} lies outside of the blob.`)
}
