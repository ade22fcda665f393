// The agent's own log lines, in the SDK's format (worker-api §13), so that log readers recognize them. There are few of them, because they are
// mixed with the user's output.
import type { Writable } from 'node:stream'

export type AgentLog = ReturnType<typeof createLog>

export function createLog(out: Writable) {
  const write = (level: string) => (message: string, jobId?: string) => {
    out.write(`${JSON.stringify({ requestId: jobId ?? null, message, level })}\n`)
  }
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') }
}
