// A leased job as sweeps see it.
import { maybe, number, row, text } from '../scripts/replies.ts'
import type { Lease } from '../types.ts'
import { readOptions } from './options.ts'

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
