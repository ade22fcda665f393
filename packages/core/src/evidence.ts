// Why a worker ended, as one text for the user whose job it held (ADR 3).
import { REASONS, type Reason, type WorkerExit } from '@runyard/schema'

const MAX_LINES = 10
const MAX_LINE_LENGTH = 500

/** E.g. `worker w1 went over its memory limit (exit code 137, OOM-killed); its last lines: …`. */
export function describeExit(workerId: string, reason: Reason, exit: WorkerExit | undefined): string {
  const facts = [
    ...(exit?.exitCode === undefined || exit.exitCode === null ? [] : [`exit code ${exit.exitCode}`]),
    ...(exit?.oomKilled === true ? ['OOM-killed'] : []),
  ]
  const lines = (exit?.lastLogLines ?? []).filter((line) => line.trim() !== '').slice(-MAX_LINES)
  const detail = facts.length === 0 ? '' : ` (${facts.join(', ')})`
  const log = lines.length === 0 ? '' : `; its last lines:\n${lines.map((line) => line.slice(0, MAX_LINE_LENGTH)).join('\n')}`
  return `worker ${workerId} was lost: ${REASONS[reason]}${detail}${log}`
}

/** The reason for a worker that ended without being retired. */
export function exitReason(exit: Pick<WorkerExit, 'oomKilled'> | undefined): Reason {
  return exit?.oomKilled === true ? 'out_of_memory' : 'exited'
}
