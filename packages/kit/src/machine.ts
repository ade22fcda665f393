// Facts about this machine: its identity, its processes, and the programs on its PATH.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { hostname } from 'node:os'
import { delimiter, join } from 'node:path'

const onLinux = process.platform === 'linux'

/**
 * A text that identifies one process with this pid, because pids are reused; undefined if it is dead or a zombie. Synchronous, so there is
 * no gap after a spawn. Linux reads /proc, other systems use `ps`. Failure direction: dead, because a process that cannot be seen cannot be ours
 * (same user).
 */
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

const MACHINE_IDS = ['/etc/machine-id', '/var/lib/dbus/machine-id'] as const

/** For names that must differ between machines. Without a machine id (macOS, most containers) it is the host name. */
export function machineId(): string {
  for (const path of MACHINE_IDS) {
    const id = read(path)
    if (id !== '') return id
  }
  return hostname()
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

/** The path of a program, as a shell would find it. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const path = join(directory, name)
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return path
  }
  return undefined
}
