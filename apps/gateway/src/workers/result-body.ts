// What a job-done body means (worker-api §5.1, §14.6; client-api §4.5). Nothing a worker posts is refused: a body that follows no rule is
// the output itself, one that is not JSON is a failure that says so.
import type { JobOutcome } from '@runyard/schema'
import { isFields, type Fields } from '../http/fields.ts'

export type WorkerResult =
  | { readonly kind: 'progress'; readonly output: unknown }
  | { readonly kind: 'end'; readonly outcome: JobOutcome; readonly stopPod: boolean }

/** What a body that is not JSON is read as. */
export const NOT_JSON = Symbol('not JSON')

export function readResult(body: unknown): WorkerResult {
  if (body === NOT_JSON) return end({ status: 'FAILED', error: 'the worker posted a result that is not JSON, or nested too deeply' }, false)
  if (!isFields(body)) return end({ status: 'COMPLETED', output: body }, false)
  if (body['status'] === 'IN_PROGRESS') return { kind: 'progress', output: body['output'] }
  const stopPod = body['stopPod'] === true
  const output = outputOf(body)
  const outcome = { status: 'COMPLETED', ...(output === undefined ? {} : { output }) } as const
  if (!isError(body['error'])) return end(outcome, stopPod)
  return end({ ...outcome, status: 'FAILED', error: toErrorText(body['error']) }, stopPod)
}

function end(outcome: JobOutcome, stopPod: boolean): WorkerResult {
  return { kind: 'end', outcome, stopPod }
}

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['output', 'error', 'status', 'stopPod'])

/** Third-party workers post bare outputs, without the envelope. */
function outputOf(body: Fields): unknown {
  const keys = Object.keys(body)
  const bare = keys.length > 0 && !keys.some((key) => ENVELOPE_KEYS.has(key))
  return bare ? body : body['output']
}

/** Python's truth: `error: ""`, null, 0, false, [] and {} are no errors. */
function isError(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

/** Always a string on the wire (client-api R13). */
function toErrorText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
