// The job-done body of a job whose process has ended, per envelope (flash-api §5.7, sdk2-api §4.4). SDK 2.0 ends such a job as COMPLETED, so a
// reader of its stream sees the failure only in a separate item: `lastChunk`, posted before the result (ADR 39).
import { isDeployed, type EnvelopeName } from './settings.ts'

export interface DoneBody {
  readonly body: Buffer
  readonly isStream: boolean
  readonly lastChunk?: Buffer
}

export function toFailureBody(envelope: EnvelopeName, error: string, stdout: string): DoneBody {
  if (isDeployed(envelope)) return { body: toJson({ error }), isStream: false }
  const response = { success: false, error, stdout }
  if (envelope === 'flash') return { body: toJson({ output: response, error }), isStream: false }
  return { body: toJson({ output: [response] }), isStream: true, lastChunk: toFailureChunk(error) }
}

export function toFailureChunk(error: string): Buffer {
  return toJson({ output: { success: false, error } })
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8')
}
