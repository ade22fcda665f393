// The job-done body of a job whose process cannot speak for itself any more, per envelope (flash-api §5.7, sdk2-api §4.4).
import type { EnvelopeName } from './settings.ts'

export interface DoneBody {
  readonly body: Buffer
  readonly isStream: boolean
}

export function toFailureBody(envelope: EnvelopeName, error: string, stdout: string): DoneBody {
  const response = { success: false, error, stdout }
  const content = envelope === 'json' ? { output: [response] } : { output: response, error }
  return { body: Buffer.from(JSON.stringify(content), 'utf8'), isStream: envelope === 'json' }
}
