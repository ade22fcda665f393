// From the rows that the scripts answer to the schema's shapes. We wrote them ourselves, so they are trusted.
import { asJson, type JobRecord } from '@runyard/schema'
import { isReference } from '../blobs/payloads.ts'
import type { Reply } from '../scripts/script.ts'
import { readStoredOutcome } from './stored-values.ts'

type Cell = string | null | undefined

export const toNumber = (cell: Cell): number | undefined => (cell === null || cell === undefined ? undefined : Number(cell))
export const retriesOf = (attempts: Cell): number => Math.max(0, Number(attempts ?? 0) - 1)
export const ifText = (cell: Cell): string | undefined => (cell === null || cell === undefined || cell === '' ? undefined : cell)

export function withoutUndefined<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** `blob` stands for an output that is in the blob store, and is not part of the record. */
export interface StoredRecord {
  readonly record: JobRecord
  readonly blob: string | undefined
}

/** The record without an output that is in the blob store; undefined for a job that is not there. */
export function toJobRecord(id: string, reply: Reply | undefined): JobRecord | undefined {
  return toStoredRecord(id, reply)?.record
}

export function toStoredRecord(id: string, reply: Reply | undefined): StoredRecord | undefined {
  if (!Array.isArray(reply)) return undefined
  const [kind, ...cells] = reply as Cell[]
  return kind === 'settled' ? toSettled(id, cells) : toLive(id, cells)
}

function toSettled(id: string, [submittedAt, startedAt, settledAt, attempts, workerId, outcomeText]: Cell[]): StoredRecord {
  const { outcome, blob } =
    outcomeText === null || outcomeText === undefined ? { outcome: {}, blob: undefined } : readStoredOutcome(outcomeText)
  const record = withoutUndefined({
    id,
    submittedAt: Number(submittedAt),
    startedAt: toNumber(startedAt),
    settledAt: toNumber(settledAt),
    workerId: ifText(workerId),
    retries: retriesOf(attempts),
    ...outcome,
  }) as JobRecord
  return { record, blob }
}

/** Leased = IN_PROGRESS; waiting, or left behind by a worker whose lease ran out = IN_QUEUE. */
function toLive(id: string, [submittedAt, startedAt, attempts, progress, holder, priority, deadline]: Cell[]): StoredRecord {
  const isLeased = ifText(holder) !== undefined
  const output = isLeased ? ifText(progress) : undefined
  const blob = output !== undefined && isReference(output) ? output : undefined
  const record = withoutUndefined({
    id,
    status: isLeased ? 'IN_PROGRESS' : 'IN_QUEUE',
    submittedAt: Number(submittedAt),
    startedAt: toNumber(startedAt),
    workerId: ifText(holder),
    retries: retriesOf(attempts),
    deadlineAt: toNumber(deadline),
    lowPriority: !isLeased && Number(priority ?? 0) > 0 ? true : undefined,
    output: output === undefined || blob !== undefined ? undefined : asJson(output),
  }) as JobRecord
  return { record, blob }
}
