// Fetches the pinned cloudpickle wheel with pip and unzips it beside the runner, so that any image with a Python can serve. The hash
// is checked; a wheel that is there already is not fetched again. The user's own index settings apply, because pip is asked.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const WHEEL = 'cloudpickle-3.1.2-py3-none-any.whl'
const SHA256 = '9acb47f6afd73f60dc1df93bb801b472f05ff42fa6c84167d25cb206be1fbf4a'
const VERSION = '3.1.2'

/** Where the vendored packages end up, in the bundle and for runs from the sources alike. */
export const vendorDirectory = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'runner', 'vendor')

/** Idempotent. @throws Error with one sentence when the wheel cannot be had or is not the pinned one. */
export function vendorCloudpickle(python = process.env.RUNYARD_PYTHON ?? 'python3'): void {
  const stamp = join(vendorDirectory, `.cloudpickle-${VERSION}`)
  if (existsSync(stamp)) return
  mkdirSync(vendorDirectory, { recursive: true })
  const scratch = mkdtempSync(join(vendorDirectory, '.fetch-'))
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', scratch, `cloudpickle==${VERSION}`]
    execFileSync(python, pip, { stdio: ['ignore', 'ignore', 'inherit'] })
    const wheel = join(scratch, WHEEL)
    const found = createHash('sha256').update(readFileSync(wheel)).digest('hex')
    if (found !== SHA256) throw new Error(`${WHEEL} has the SHA-256 ${found}, not the pinned ${SHA256}`)
    execFileSync(python, ['-m', 'zipfile', '-e', wheel, join(scratch, 'unzipped')])
    rmSync(join(vendorDirectory, 'cloudpickle'), { recursive: true, force: true })
    renameSync(join(scratch, 'unzipped', 'cloudpickle'), join(vendorDirectory, 'cloudpickle'))
    writeFileSync(stamp, '')
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
