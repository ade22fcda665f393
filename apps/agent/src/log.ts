// The agent's own lines in the worker's output, in the SDK's format (worker-api §13) so that log readers know them. Few on purpose:
// they stand among the user's own output.
import type { Writable } from 'node:stream'

export interface AgentLog {
  info(message: string, jobId?: string): void
  warn(message: string, jobId?: string): void
  error(message: string, jobId?: string): void
}

export function createLog(out: Writable): AgentLog {
  const write = (level: string) => (message: string, jobId?: string) => {
    out.write(`${JSON.stringify({ requestId: jobId ?? null, message, level })}\n`)
  }
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') }
}
