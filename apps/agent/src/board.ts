// What a child was at when it died, from the shared memory that it leaves (runner/runyard_runner/board.py): so that no job is blamed for what
// happened between two jobs, or what the runner itself could not do.
import { readFileSync, rmSync } from 'node:fs'

export interface BoardNote {
  /** Unknown: it died before it could say anything, or somebody removed the file. */
  readonly phase: 'waiting' | 'working' | 'broken' | 'unknown'
  /** Threads of earlier jobs were running. */
  readonly threadsLeft: boolean
}

const PHASES: Readonly<Record<string, BoardNote['phase']>> = { w: 'waiting', j: 'working', b: 'broken' }

/** Read once: the file goes. */
export function readBoard(path: string): BoardNote {
  try {
    const text = readFileSync(path, 'latin1')
    rmSync(path, { force: true })
    return { phase: PHASES[text.charAt(0)] ?? 'unknown', threadsLeft: text.charAt(1) === 't' }
  } catch {
    return { phase: 'unknown', threadsLeft: false }
  }
}
