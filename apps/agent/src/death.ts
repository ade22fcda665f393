// Says in one sentence how a function's process ended. The reader is the caller of the function, who sees nothing else.

export interface ChildExit {
  readonly exitCode: number | null
  readonly signal: string | null
  /** The supervisor went first, and the child with it. */
  readonly supervisorLost: boolean
}

export interface DeathEvidence {
  readonly oomKilled: boolean
  readonly limitBytes: number | undefined
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGSEGV: 'segmentation fault',
  SIGABRT: 'abort',
  SIGBUS: 'bus error',
  SIGFPE: 'arithmetic error',
  SIGILL: 'illegal instruction',
  SIGTERM: 'terminated',
}

export function describeDeath(exit: ChildExit, evidence: DeathEvidence): string {
  if (evidence.oomKilled) {
    const limit = evidence.limitBytes === undefined ? '' : ` (limit ${toGib(evidence.limitBytes)} GiB)`
    return `the function ran out of memory${limit}: the kernel killed its process`
  }
  if (exit.supervisorLost) return 'the function’s process was lost together with its supervisor, which something in this worker killed'
  if (exit.signal === 'SIGKILL') {
    return 'the function’s process was killed by SIGKILL: by the function itself or by the host, which does so when it is short of memory'
  }
  if (exit.signal !== null) {
    const words = SIGNAL_WORDS[exit.signal]
    return `the function’s process was killed by ${exit.signal}${words === undefined ? '' : ` (${words})`}`
  }
  return `the function’s process ended with exit code ${exit.exitCode ?? 'unknown'}: the function, or a library, called os._exit`
}

/** Three significant digits: 536 870 912 bytes → 0.5. */
function toGib(bytes: number): number {
  return Number((bytes / 2 ** 30).toPrecision(3))
}
