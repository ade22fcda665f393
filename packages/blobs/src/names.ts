// Names come from job ids, ranges from requests: what is wrong is refused before it gets near a path or a URL.
import { BlobName, RunyardError, type ByteRange } from '@runyard/schema'

/** @throws RunyardError('bad_request') */
export function checkName(name: string): string {
  const parsed = BlobName.safeParse(name)
  if (!parsed.success) throw new RunyardError('bad_request', `"${name.slice(0, 100)}" cannot name a blob`)
  return parsed.data
}

/** A range holds at least one byte; the whole of an empty blob holds none. @throws RunyardError('bad_request') */
export function toWholeRange(range: ByteRange | undefined, size: number): Required<ByteRange> {
  if (range === undefined) return { from: 0, to: size }
  const { from, to = size } = range
  if (from < 0 || from >= size || to <= from) throw outOfRange(from)
  return { from, to: Math.min(to, size) }
}

export function outOfRange(from: number): RunyardError {
  return new RunyardError('bad_request', `The range from byte ${from} lies outside of the blob.`)
}
