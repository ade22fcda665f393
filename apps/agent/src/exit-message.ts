// Why a function's process ended, as a sentence for the caller. It names a cause only if the evidence shows it: the exit, the kernel's count of
// out-of-memory kills in this worker's cgroup (v2 `memory.events`, v1 `memory.oom_control`), and the board, shared memory in which the runner notes
// its phase (runner/runyard_runner/board.py). Missing evidence is undefined or `unknown`: a SIGKILL is then reported without a cause.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface ChildExit {
  readonly exitCode: number | null
  readonly signal: string | null
  /** The supervisor was killed, and the child with it. */
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

const V2_ROOT = '/sys/fs/cgroup'
const V1_ROOT = '/sys/fs/cgroup/memory'

export interface CgroupMemory {
  readonly oomKills: number | undefined
  readonly limitBytes: number | undefined
}

export function readCgroupMemory(): CgroupMemory {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  const v1 = lines.find((parts) => parts[1]?.split(',').includes('memory'))?.[2]
  const v2 = lines.find((parts) => parts[0] === '0')?.[2]
  // Inside a container the path names the host's tree while only its own part is mounted: then the root is our cgroup.
  const v1Dirs = v1 === undefined ? [] : [join(V1_ROOT, v1), V1_ROOT]
  const v2Dirs = v2 === undefined ? [] : [join(V2_ROOT, v2), V2_ROOT]
  return {
    oomKills: firstNumber(v2Dirs, 'memory.events', /^oom_kill (\d+)$/m) ?? firstNumber(v1Dirs, 'memory.oom_control', /^oom_kill (\d+)$/m),
    limitBytes: firstNumber(v2Dirs, 'memory.max', /^(\d+)$/m) ?? plausible(firstNumber(v1Dirs, 'memory.limit_in_bytes', /^(\d+)$/m)),
  }
}

/** cgroup v1 reports "unlimited" as a number near 2⁶³. */
function plausible(limit: number | undefined): number | undefined {
  return limit !== undefined && limit < 2 ** 60 ? limit : undefined
}

function firstNumber(directories: readonly string[], file: string, pattern: RegExp): number | undefined {
  for (const directory of directories) {
    const found = pattern.exec(read(join(directory, file)) ?? '')?.[1]
    if (found !== undefined) return Number(found)
  }
  return undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export interface BoardNote {
  /** Unknown: the child died before it wrote a phase, or the file is gone. */
  readonly phase: 'waiting' | 'working' | 'broken' | 'unknown'
  /** Threads of earlier jobs were running. */
  readonly threadsLeft: boolean
}

const PHASES: Readonly<Record<string, BoardNote['phase']>> = { w: 'waiting', j: 'working', b: 'broken' }

/** Deletes the file. */
export function readBoard(path: string): BoardNote {
  try {
    const text = readFileSync(path, 'latin1')
    rmSync(path, { force: true })
    return { phase: PHASES[text.charAt(0)] ?? 'unknown', threadsLeft: text.charAt(1) === 't' }
  } catch {
    return { phase: 'unknown', threadsLeft: false }
  }
}
