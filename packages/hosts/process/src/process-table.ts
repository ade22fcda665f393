// Signals to processes that a worker started, also to those that left its group.
import { readFile, readdir } from 'node:fs/promises'

const onLinux = process.platform === 'linux'

/** Signals a process, or with a negative pid its group. A process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * Kills every process that carries `marker` (`NAME=value`) in its environment: what a dead worker's processes left behind, also where they
 * moved to a group of their own. Linux only; elsewhere the group's signal has to do.
 */
export async function killMarked(marker: string): Promise<void> {
  if (!onLinux) return
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      if (pid !== process.pid && environment.split('\0').includes(marker)) signal(pid, 'SIGKILL')
    }),
  )
}
