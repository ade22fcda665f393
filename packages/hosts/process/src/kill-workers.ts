// Ends the workers of a directory without asking them: what lies there is checked before it is killed, since a pid may be another process by now.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lifeOf } from '@runyard/kit'
import { signal } from './process-table.ts'

/** Each worker leads a process group of its own. Its file lies in its own directory, so what stands there is checked before it is killed. */
export async function killWorkers({ scratchDir, instanceId }: { readonly scratchDir: string; readonly instanceId: string }): Promise<void> {
  const names = await readdir(scratchDir).catch(() => [])
  for (const name of names) {
    const text = await readFile(join(scratchDir, name, 'worker.json'), 'utf8').catch(() => '')
    const group = livingGroup(text, instanceId)
    if (group !== undefined) signal(-group, 'SIGKILL')
  }
}

/** The process group that a worker's file names, if its leader is the process that was started: to `kill`, -1 means all processes of the user. */
export function livingGroup(text: string, instanceId: string): number | undefined {
  const { pid, life, exit, instanceId: owner } = parseRecord(text)
  if (owner !== instanceId || exit !== undefined || typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined
  return typeof life === 'string' && lifeOf(pid) === life ? pid : undefined
}

interface Claims {
  readonly instanceId?: unknown
  readonly pid?: unknown
  readonly life?: unknown
  readonly exit?: unknown
}

function parseRecord(text: string): Claims {
  try {
    const record: unknown = JSON.parse(text)
    return typeof record === 'object' && record !== null ? record : {}
  } catch {
    return {}
  }
}
