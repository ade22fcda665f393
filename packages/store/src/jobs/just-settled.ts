// The records of jobs that this process settled in this turn of the event loop. A request that waits here for such a job wakes at once and
// reads the job, which would be a round trip to Redis for a record that was written a moment ago. A settled record never changes.
import type { JobRecord } from '@runyard/schema'
import { memberOf, type JobAt } from '../blobs/payloads.ts'

export type JustSettled = ReturnType<typeof createJustSettled>

export function createJustSettled() {
  const records = new Map<string, JobRecord>()
  return {
    remember(at: JobAt, record: JobRecord) {
      if (records.size === 0) setImmediate(() => records.clear())
      records.set(memberOf(at), record)
    },
    find: (at: JobAt): JobRecord | undefined => records.get(memberOf(at)),
  }
}
