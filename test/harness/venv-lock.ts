// Which versions and hashes a Python environment of the tests is made of: `venvs.lock`, written by scripts/refresh-locks.ts. Environments share
// most of their packages, so the hashes of each stand there once.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface VenvLock {
  /** Environment → its packages, `name==version` or `name==version ; marker`. */
  readonly venvs: Readonly<Record<string, readonly string[]>>
  /** `name==version` → SHA-256 of each file of it that a machine of ours may take. */
  readonly hashes: Readonly<Record<string, readonly string[]>>
}

export const VENV_LOCK = join(import.meta.dirname, 'venvs.lock')

let read: VenvLock | undefined

/** As `pip install --require-hashes -r` reads them. @throws Error where the lock has not been refreshed for it. */
export function lockedRequirements(venv: string): string {
  read ??= JSON.parse(readFileSync(VENV_LOCK, 'utf8')) as VenvLock
  const { venvs, hashes } = read
  const packages = venvs[venv]
  if (packages === undefined) throw new Error(`${VENV_LOCK} does not know ${venv}: node scripts/refresh-locks.ts`)
  const line = (wanted: string): string => {
    const of = hashes[wanted.split(' ; ')[0] ?? ''] ?? []
    return `${wanted} ${of.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`
  }
  return packages.map(line).join('')
}
