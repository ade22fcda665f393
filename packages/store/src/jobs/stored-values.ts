// Reads records from Redis, and their values from Redis or the blob store. A record is JSON whose last member is its value,
// `{"id":…,"input":…}`, so the head is parsed and the value is cut off unparsed. In the head every text of a caller is a JSON string, in which
// `"` is escaped, so the first `,"input":` belongs to the value.
import { asJson, toJson, type JobOutcome, type JobRecord, type JobSubmission, type JsonText } from '@runyard/schema'
import { withMember } from '@runyard/schema/json-join'
import type { StoredRecord } from './job-record.ts'
import { toText, type JobAt, type PackedRecord, type Payloads } from '../blobs/payloads.ts'

export const INPUT_GONE: JobOutcome = { status: 'FAILED', error: 'the input of this job is missing from the blob store' }
const OUTPUT_GONE: JobOutcome = { status: 'FAILED', error: 'the output of this job is missing from the blob store' }
const CHUNK_GONE = toJson({ error: 'a chunk of this stream is missing from the blob store' })

/** A submission as it is written to Redis. */
export function packSubmission({ input, s3Config, ...head }: JobSubmission): PackedRecord {
  return { head: s3Config === undefined ? head : { ...head, s3Config: toText(s3Config) }, field: 'input', value: input }
}

export function packOutcome({ output, ...head }: JobOutcome): PackedRecord {
  return { head, field: 'output', value: output }
}

/** With its value, of any size. */
export function textOf({ head, field, value }: PackedRecord): string {
  return value === undefined ? JSON.stringify(head) : toText(withMember(head, field, value))
}

type StoredSubmission = Omit<JobSubmission, 'input' | 's3Config'> & { blob?: string; s3Config?: string }

/** Only this package writes such texts, so their heads are not validated. */
function unpack(field: PackedRecord['field'], text: string): { readonly head: string; readonly value: JsonText | undefined } {
  const mark = `,"${field}":`
  const at = text.indexOf(mark)
  if (at === -1) return { head: text, value: undefined }
  return { head: `${text.slice(0, at)}}`, value: asJson(text.slice(at + mark.length, -1)) }
}

/** The submission, with its input if that is in Redis; otherwise `blob` names the input's blob. */
export function readStoredSubmission(data: string): {
  submission: Omit<JobSubmission, 'input'>
  input: JsonText | undefined
  blob?: string
} {
  const { head, value: input } = unpack('input', data)
  const { blob, s3Config, ...rest }: StoredSubmission = JSON.parse(head)
  const submission = s3Config === undefined ? rest : { ...rest, s3Config: asJson(s3Config) }
  return { submission, input, ...(blob === undefined ? {} : { blob }) }
}

export function readStoredOutcome(text: string): { outcome: JobOutcome; blob: string | undefined } {
  const { head, value } = unpack('output', text)
  const { blob, ...outcome }: JobOutcome & { blob?: string } = JSON.parse(head)
  return { outcome: value === undefined ? outcome : { ...outcome, output: value }, blob }
}

/** Undefined if its input no longer exists. */
export async function readSubmission(payloads: Payloads, at: JobAt, data: string): Promise<JobSubmission | undefined> {
  const { submission, input, blob } = readStoredSubmission(data)
  const loaded = blob === undefined ? input : await payloads.load(at, blob)
  return loaded === undefined ? undefined : { ...submission, input: loaded }
}

export async function readRecord(payloads: Payloads, at: JobAt, { record, blob }: StoredRecord): Promise<JobRecord> {
  if (blob === undefined) return record
  const output = await payloads.load(at, blob)
  if (output !== undefined) return { ...record, output }
  // A missing progress value is not an error: it is only not shown.
  return record.settledAt === undefined ? record : { ...record, ...OUTPUT_GONE }
}

export async function readChunk(payloads: Payloads, at: JobAt, text: string): Promise<JsonText> {
  return (await payloads.load(at, text)) ?? CHUNK_GONE
}
