// Which host the processes of this machine are: the machine and the data directory, since the workers' files lie there. A second scaler on both
// is on the same host. Without a machine id (macOS, most containers) the machine's name has to do.
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { hostname } from 'node:os'

const MACHINE_IDS = ['/etc/machine-id', '/var/lib/dbus/machine-id'] as const

export function processHostId(dataDir: string): string {
  const place = `${machineId()}\n${realPath(dataDir)}`
  return `process:${createHash('sha256').update(place).digest('hex').slice(0, 16)}`
}

function machineId(): string {
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

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
