// Where the vendored cloudpickle is: it travels with the runner, so that any image with a Python can serve. Fetched once, by vendor.py.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** In the bundle's place also for runs from the sources. */
export const vendorDirectory = join(import.meta.dirname, '..', 'dist', 'runner', 'vendor')

/** Idempotent. @throws Error when the wheel cannot be had or is not the pinned one; the sentence is on stderr. */
export function vendorCloudpickle(): void {
  if (existsSync(join(vendorDirectory, 'cloudpickle-3.1.2.dist-info'))) return
  execFileSync(process.env.RUNYARD_PYTHON || 'python3', [join(import.meta.dirname, 'vendor.py'), vendorDirectory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
