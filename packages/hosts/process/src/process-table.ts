// Signals to processes that a worker started, also to those that left its group.
import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from '@runyard/schema'

const LOOK_AGAIN_MS = 20
/** One that hangs in the kernel is not waited for. */
const MOST_LOOKS = 50
const onLinux = process.platform === 'linux'

/** Signals a process, or with a negative pid its group. A process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

/**
 * Every process that carries one of these (`NAME=value`) in its environment, also where it moved to a group of its own. Linux only; undefined elsewhere.
 */
export async function findMarked(markers: readonly string[]): Promise<readonly number[] | undefined> {
  if (!onLinux) return undefined
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0')
      return pid !== process.pid && markers.some((marker) => environment.includes(marker)) ? [pid] : []
    }),
  )
  return marked.flat()
}

/**
 * What a dead worker's processes left behind. Where they are not found, the signal to its group has to do. One that is about to become another program
 * (`execve`) has no environment for a moment, so a look that finds none is repeated.
 */
export async function killMarked(marker: string): Promise<void> {
  let wasEmpty = false
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const found = await findMarked([marker])
    if (found === undefined || (found.length === 0 && wasEmpty)) return
    for (const pid of found) signal(pid, 'SIGKILL')
    wasEmpty = found.length === 0
    await sleep(LOOK_AGAIN_MS)
  }
}
