// Lets `vi.waitFor` and `vi.waitUntil` wait as long as `expect.poll` does (vitest.config.ts). Their own second is too short for busy processors, and
// a condition that holds ends the wait at once.
import { vi } from 'vitest'

const PATIENCE_MS = 30_000
const { waitFor, waitUntil } = vi

type Options = Parameters<typeof waitFor>[1]
const patient = (options: Options): Options => (typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options })

/** May be called before each file of one process: the functions above are those of vitest itself. */
export function waitPatiently(): void {
  vi.waitFor = (callback, options) => waitFor(callback, patient(options))
  vi.waitUntil = (callback, options) => waitUntil(callback, patient(options))
}
