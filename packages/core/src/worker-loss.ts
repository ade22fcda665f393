// Why a worker ended, in words: for its own life, and for the users of the jobs that it held (ADR 3, ADR 95).
import { REASONS, type LogLine, type Reason, type WorkerExit } from '@runyard/schema'
import { jobNamedIn, type JobSpan } from './history/log-facts.ts'

const MAX_LINES = 10
const MAX_LINE_LENGTH = 500

/** As one text. E.g. `worker w1 was lost: the worker went over its memory limit (exit code 137, OOM-killed); its last lines: …`. */
export function describeExit(workerId: string, reason: Reason, exit: WorkerExit | undefined): string {
  return sentenceOf(workerId, reason, exit) + quote(exit?.lastLogLines ?? [])
}

/** What the worker printed at its end, and when it had which jobs. */
export interface LastWords {
  readonly exit: WorkerExit
  readonly lines: readonly LogLine[]
  /** Of all jobs that it holds; of those that have ended, what is known. */
  readonly spans: readonly JobSpan[]
  /** Of its latest job that has ended, epoch ms; undefined: none has. */
  readonly lastJobEndedAt: number | undefined
}

/** For so long after its end a job's lines may come: a library writes them out after the result, and an engine reads them late. */
const LATE_MS = 1000

interface Loss {
  readonly workerId: string
  readonly jobId: string
  readonly reason: Reason
}

/** For the user of one job: what may have been printed by another job of the worker is left out. */
export function describeLoss({ workerId, jobId, reason }: Loss, { exit, lines, spans, lastJobEndedAt = -Infinity }: LastWords): string {
  const others = [{ from: -Infinity, to: lastJobEndedAt }, ...spans.filter((span) => span.jobId !== jobId)]
  const isOfOther = ({ at }: LogLine) => others.some(({ from, to }) => from <= at && at <= to + LATE_MS)
  const shown = linesAfterOthers(jobId, lines).filter((line) => !isOfOther(line))
  const note = shown.length === lines.length ? '' : '; lines that may be of other jobs are only in the log of the worker'
  return sentenceOf(workerId, reason, exit) + note + quote(shown.map(({ line }) => line))
}

/** Some lines name their job. The clock of the host may be wrong; their order is not. */
function linesAfterOthers(jobId: string, lines: readonly LogLine[]): readonly LogLine[] {
  const namesOther = ({ line }: LogLine) => ![jobId, undefined].includes(jobNamedIn(line))
  return lines.slice(lines.findLastIndex(namesOther) + 1)
}

function sentenceOf(workerId: string, reason: Reason, exit: WorkerExit | undefined): string {
  const facts = [
    ...(exit?.exitCode === undefined || exit.exitCode === null ? [] : [`exit code ${exit.exitCode}${signalOf(exit)}`]),
    ...(exit?.oomKilled === true ? ['OOM-killed'] : []),
  ]
  return `worker ${workerId} was lost: ${REASONS[reason]}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`
}

const SIGNALS: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
}

/** Shells and engines add 128 to the signal that ended a process. */
function signalOf({ exitCode, oomKilled }: WorkerExit): string {
  const name = SIGNALS[Number(exitCode) - 128]
  return name === undefined || oomKilled ? '' : `, ended by ${name}`
}

function quote(lines: readonly string[]): string {
  const last = lines.filter((line) => line.trim() !== '').slice(-MAX_LINES)
  return last.length === 0 ? '' : `; its last lines:\n${last.map((line) => line.slice(0, MAX_LINE_LENGTH)).join('\n')}`
}
