// Leased jobs for the sweeps, and the options of a job.
import { maybe, number, row, text } from '../scripts/replies.ts'
import type { Lease } from './jobs.ts'

/** In BullMQ's hash: what sweeps, webhooks and its end need to know without reading its data. */
interface JobOptions {
  readonly executionTimeoutMs?: number
  /** Workers that had the job in an earlier life (`retry.lua`). */
  readonly notFor?: readonly string[]
}

/** Only this package writes them, so they are trusted. */
export function readOptions(json: string): JobOptions {
  const options: JobOptions = JSON.parse(json)
  return options
}

/** As `readLeases` in Lua replies it. */
export const leaseRow = row({
  jobId: text,
  holder: maybe(text),
  submittedAt: number,
  startedAt: number,
  attempt: number,
  options: maybe(text),
  lastHolder: maybe(text),
  leftMs: number,
})

export function toLease(endpointId: string, lease: ReturnType<typeof leaseRow>): Lease {
  const { jobId, holder, lastHolder, leftMs, options, submittedAt, startedAt, attempt } = lease
  const expiresAt = holder === undefined ? undefined : Date.now() + Math.max(0, leftMs)
  const { executionTimeoutMs } = readOptions(options ?? '{}')
  return { jobId, endpointId, workerId: holder, lastHolder, expiresAt, submittedAt, startedAt, attempt, executionTimeoutMs }
}
