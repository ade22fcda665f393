// `it` with a temporary directory of its own for each test, which goes with it; `directory` is that of the running test.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'

export let directory: string

// oxlint-disable-next-line no-empty-pattern -- vitest reads a fixture's needs from its first parameter
export const it = test.extend('directory', { auto: true }, ({}, { onCleanup }) => {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'runyard-test-')))
  onCleanup(() => rmSync(made, { recursive: true, force: true }))
  return (directory = made)
})
