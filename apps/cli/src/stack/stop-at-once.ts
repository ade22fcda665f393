// The second Ctrl-C: no part and no worker of this stack is left running, and no worker is asked. Jobs that were running keep their
// place: the next start takes them back from workers that are gone.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openEngine, removeAllWorkers } from '@runyard/host-docker'
import { engineOf } from '@runyard/schema'
import { lifeOf, sentenceOf } from '@runyard/kit'
import type { Stack } from './open-stack.ts'

type StoppedStack = Pick<Stack, 'kill' | 'choice' | 'instanceId' | 'dataDir'>

/** The parts first, so that no new worker is started. Resolves with a sentence for each host whose workers could not be removed. */
export async function stopAtOnce(stack: StoppedStack): Promise<readonly string[]> {
  stack.kill()
  const instanceId = stack.instanceId()
  const ended = await Promise.allSettled(
    stack.choice.hosts.map(async (host) => {
      if (host.kind === 'process') return killProcesses(join(stack.dataDir, 'hosts', host.id))
      if (instanceId === undefined) return
      await using engine = openEngine(engineOf(host))
      await removeAllWorkers(engine, instanceId)
    }),
  )
  return ended.flatMap((end) => (end.status === 'rejected' ? [sentenceOf(end.reason)] : []))
}

/** Each worker leads a process group of its own. Its file lies in its own directory, so what stands there is checked before it is killed. */
async function killProcesses(scratchDir: string): Promise<void> {
  const names = await readdir(scratchDir).catch(() => [])
  for (const name of names) {
    const text = await readFile(join(scratchDir, name, 'worker.json'), 'utf8').catch(() => '')
    const group = livingGroup(text)
    if (group !== undefined) killGroup(group)
  }
}

/** The process group that a worker's file names, if its leader is the process that was started: to `kill`, -1 means all processes of the user. */
export function livingGroup(text: string): number | undefined {
  const { pid, life, exit } = parseRecord(text)
  if (exit !== undefined || typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined
  return typeof life === 'string' && lifeOf(pid) === life ? pid : undefined
}

function parseRecord(text: string): { readonly pid?: unknown; readonly life?: unknown; readonly exit?: unknown } {
  try {
    const record: unknown = JSON.parse(text)
    return typeof record === 'object' && record !== null ? record : {}
  } catch {
    return {}
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
