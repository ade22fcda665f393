// Names come from job ids, which come from the wire: what is no name is refused before it gets near a path or a URL.
import { BlobName, RunyardError } from '@runyard/schema'

/** @throws RunyardError('bad_request') */
export function checkName(name: string): string {
  const parsed = BlobName.safeParse(name)
  if (!parsed.success) throw new RunyardError('bad_request', `"${name.slice(0, 100)}" cannot name a blob`)
  return parsed.data
}
