// The sentence for the caller of a function whose process ended. It names a cause only if the evidence shows it.
import type { BoardNote } from './board.ts'

export interface ChildExit {
  readonly exitCode: number | null
  readonly signal: string | null
  /** The supervisor went first, and the child with it. */
  readonly supervisorLost: boolean
}

export interface ExitEvidence {
  readonly oomKilled: boolean
  readonly limitBytes: number | undefined
  readonly note: BoardNote
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGSEGV: ' (segmentation fault)',
  SIGABRT: ' (abort)',
  SIGBUS: ' (bus error)',
  SIGFPE: ' (arithmetic error)',
  SIGILL: ' (illegal instruction)',
  SIGTERM: ' (terminated)',
  SIGKILL: ': by the function itself or by the host, which does so when it is short of memory',
}

export function exitMessage(exit: ChildExit, evidence: ExitEvidence): string {
  if (evidence.oomKilled) {
    const limit = evidence.limitBytes === undefined ? '' : ` (limit ${toGib(evidence.limitBytes)} GiB)`
    return `the function ran out of memory${limit}: the kernel killed its process`
  }
  if (exit.supervisorLost) return 'the function’s process was lost together with its supervisor, which something in this worker killed'
  if (evidence.note.phase === 'broken') return BROKEN
  return describeExit(exit, evidence.note.threadsLeft)
}

const BROKEN =
  'the function’s process could not answer, as its connection to the agent was gone: the function, or a library, has closed descriptors that are not its own'

function describeExit(exit: ChildExit, threadsLeft: boolean): string {
  if (exit.signal === null) {
    const who = threadsLeft ? 'the function, a library, or a thread that an earlier job left,' : 'the function, or a library,'
    return `the function’s process ended with exit code ${exit.exitCode ?? 'unknown'}: ${who} called os._exit`
  }
  const inThread = threadsLeft ? ', in it or in a thread that an earlier job left' : ''
  const words = SIGNAL_WORDS[exit.signal]
  return `the function’s process was killed by ${exit.signal}${words === undefined ? '' : words}${inThread}`
}

/** Three significant digits: 536 870 912 bytes → 0.5. */
function toGib(bytes: number): number {
  return Number((bytes / 2 ** 30).toPrecision(3))
}
