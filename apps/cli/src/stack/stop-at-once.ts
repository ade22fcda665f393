// The second Ctrl-C: no part and no worker of this stack is left running, and no worker is asked. Jobs that were running keep their
// place: the next start takes them back from workers that are gone.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeAllWorkers } from '@runyard/docker'
import { sentenceOf } from '@runyard/kit'
import type { Stack } from './open-stack.ts'

type StoppedStack = Pick<Stack, 'kill' | 'choice' | 'instanceId' | 'dataDir'>

/** The parts first, so that no new worker is started. Resolves with a sentence for each host whose workers could not be removed. */
export async function stopAtOnce(stack: StoppedStack): Promise<readonly string[]> {
  stack.kill()
  const instanceId = stack.instanceId()
  const ended = await Promise.allSettled(
    stack.choice.hosts.map(async ({ id, kind, socket }) => {
      if (kind === 'process') await killProcesses(join(stack.dataDir, 'hosts', id))
      else if (instanceId !== undefined) await removeAllWorkers({ socket, instanceId })
    }),
  )
  return ended.flatMap((end) => (end.status === 'rejected' ? [sentenceOf(end.reason)] : []))
}

/** Each worker leads a process group of its own; its pid is in its file. */
async function killProcesses(scratchDir: string): Promise<void> {
  const names = await readdir(scratchDir).catch(() => [])
  for (const name of names) {
    const text = await readFile(join(scratchDir, name, 'worker.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const { pid, exit } = JSON.parse(text) as { pid: number; exit?: unknown }
    if (exit === undefined) killGroup(pid)
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
