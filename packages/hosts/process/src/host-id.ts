// The id of a process host: the machine, the data directory with the workers' files, and the folder in it. A second scaler with the same three uses the
// same host. Without a machine id (macOS, most containers) the machine's name is used.
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { machineId } from '@runyard/kit'

export function processHostId(dataDir: string, folder: string): string {
  const place = [machineId(), realPath(dataDir), folder].join('\n')
  return `process:${createHash('sha256').update(place).digest('hex').slice(0, 16)}`
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
