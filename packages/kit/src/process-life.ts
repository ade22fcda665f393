// Identifies a process by its pid and start time, because pids are reused. Linux reads /proc, other systems use `ps`. Failure direction: dead,
// because a process that cannot be seen cannot be ours (same user).
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const onLinux = process.platform === 'linux'

/** A text that identifies one process with this pid; undefined if it is dead or a zombie. Synchronous, so there is no gap after a spawn. */
export function lifeOf(pid: number): string | undefined {
  return onLinux ? lifeFromProc(pid) : lifeFromPs(pid)
}

function lifeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name may contain spaces and parentheses. Counted after it, state is the 1st field and starttime the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function lifeFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state = '', ...started] = stdout.trim().split(/\s+/)
  return state === '' || state.startsWith('Z') ? undefined : started.join(' ')
}
