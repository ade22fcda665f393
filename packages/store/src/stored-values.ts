// Values as they are told again, whether they were in Redis or in the blob store, and what is told of one that somebody removed from there.
import { parseExactJson, type JobOutcome, type JobRecord, type JobSubmission } from '@runyard/schema'
import type { StoredRecord } from './job-record.ts'
import type { JobAt, Payloads } from './payloads.ts'

export const INPUT_GONE: JobOutcome = { status: 'FAILED', error: 'the input of this job is missing from the blob store' }
const OUTPUT_GONE: JobOutcome = { status: 'FAILED', error: 'the output of this job is missing from the blob store' }
const CHUNK_GONE = { error: 'a chunk of this stream is missing from the blob store' }

/** Undefined where its input is gone. */
export async function readSubmission(payloads: Payloads, at: JobAt, data: string): Promise<JobSubmission | undefined> {
  const { blob, ...submission } = parseExactJson(data) as JobSubmission & { blob?: string }
  if (blob === undefined) return submission
  const input = await payloads.load(at, blob)
  return input === undefined ? undefined : { ...submission, input: parseExactJson(input) }
}

export async function readRecord(payloads: Payloads, at: JobAt, { record, blob }: StoredRecord): Promise<JobRecord> {
  if (blob === undefined) return record
  const output = await payloads.load(at, blob)
  if (output !== undefined) return { ...record, output: parseExactJson(output) }
  // A progress value that is gone is only one that nobody will see.
  return record.settledAt === undefined ? record : { ...record, ...OUTPUT_GONE }
}

export async function readChunk(payloads: Payloads, at: JobAt, text: string): Promise<unknown> {
  const loaded = await payloads.load(at, text)
  return loaded === undefined ? CHUNK_GONE : parseExactJson(loaded)
}
