// Is that process still the one we started? A pid alone is reused; a pid with its start time is not. Linux reads /proc, elsewhere `ps`
// answers. Fails towards "dead": a process that cannot be seen cannot be ours (same user).
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const onLinux = process.platform === 'linux'

/** A text that identifies one life of a pid; undefined when it is dead, a zombie included. Synchronous: no gap after a spawn. */
export function lifeOf(pid: number): string | undefined {
  return onLinux ? lifeFromProc(pid) : lifeFromPs(pid)
}

function lifeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name may hold spaces and parentheses; fields count from behind it: state is the 1st, starttime the 20th.
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
