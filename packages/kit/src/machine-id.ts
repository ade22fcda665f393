// Identifies this machine, for names that must differ between machines. Without a machine id (macOS, most containers) it is the host name.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

const MACHINE_IDS = ['/etc/machine-id', '/var/lib/dbus/machine-id'] as const

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
