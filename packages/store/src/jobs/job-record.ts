// Converts rows in scripts' replies to the schema's shapes.
import { asJson, type JobOutcome, type JobRecord } from '@runyard/schema'
import { isReference } from '../blobs/payloads.ts'
import { maybe, number, row, tagged, text, type Reader } from '../scripts/replies.ts'
import { readStoredOutcome } from './stored-values.ts'

export const retriesOf = (attempts: number | undefined): number => Math.max(0, (attempts ?? 0) - 1)

/** Without the fields that are undefined. */
export function withoutUndefined<T extends object>(record: T): T {
  for (const [name, value] of Object.entries(record)) if (value === undefined) Reflect.deleteProperty(record, name)
  return record
}

/** `blob` stands for an output that is in the blob store, and is not part of the record. */
export interface StoredRecord {
  readonly record: JobRecord
  readonly blob: string | undefined
}

/** What a record is made of beside the job's id. */
export type ToRecord = (id: string) => StoredRecord

const ended = { submittedAt: number, startedAt: maybe(number), settledAt: number, attempts: maybe(number), workerId: maybe(text) }
const settledCells = row({ ...ended, outcome: text })

/** A settled record without its outcome, for the process that has it already. */
export const settledFacts: Reader<(id: string, outcome: JobOutcome) => JobRecord> = (reply) => {
  const { attempts, ...facts } = row(ended)(reply)
  return (id, outcome) => withoutUndefined({ id, ...facts, retries: retriesOf(attempts), ...outcome })
}

export const settledRow: Reader<ToRecord> = (reply) => {
  const { submittedAt, startedAt, settledAt, attempts, workerId, outcome: outcomeText } = settledCells(reply)
  return (id) => {
    const { outcome, blob } = readStoredOutcome(outcomeText)
    const record = { id, submittedAt, startedAt, settledAt, workerId, retries: retriesOf(attempts), ...outcome }
    return { record: withoutUndefined(record), blob }
  }
}

const liveCells = row({
  submittedAt: number,
  startedAt: maybe(number),
  attempts: maybe(number),
  progress: maybe(text),
  holder: maybe(text),
  priority: maybe(number),
  deadlineAt: maybe(number),
})

/** Leased = IN_PROGRESS; waiting, or left behind by a worker whose lease ran out = IN_QUEUE. */
const liveRow: Reader<ToRecord> = (reply) => {
  const { submittedAt, startedAt, attempts, progress, holder, priority, deadlineAt } = liveCells(reply)
  const output = holder === undefined ? undefined : progress
  const blob = output !== undefined && isReference(output) ? output : undefined
  return (id) => {
    const record = {
      id,
      status: holder === undefined ? ('IN_QUEUE' as const) : ('IN_PROGRESS' as const),
      submittedAt,
      startedAt,
      workerId: holder,
      retries: retriesOf(attempts),
      deadlineAt,
      lowPriority: holder === undefined && (priority ?? 0) > 0 ? true : undefined,
      output: output === undefined || blob !== undefined ? undefined : asJson(output),
    }
    return { record: withoutUndefined(record), blob }
  }
}

/** As `readRecord` in Lua replies it: a job that is there. */
export const recordRow = tagged({ settled: settledRow, live: liveRow })
