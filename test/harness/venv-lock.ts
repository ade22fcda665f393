// Reads the versions and hashes of the tests' Python environments: `venvs.lock`, written by scripts/refresh-locks.ts. Environments share most
// packages, so the file lists the hashes of each package once.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface VenvLock {
  /** Environment → its packages, `name==version` or `name==version ; marker`. */
  readonly venvs: Readonly<Record<string, readonly string[]>>
  /** `name==version` → SHA-256 of each of its files for supported systems. */
  readonly hashes: Readonly<Record<string, readonly string[]>>
}

export const VENV_LOCK = join(import.meta.dirname, 'venvs.lock')

let read: VenvLock | undefined

/** Requirements for `pip install --require-hashes -r`. @throws Error if the lock has no entry for the environment. */
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
