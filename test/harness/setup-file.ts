// Runs before each test file. The hook is not in `stack.ts`, because benchmarks also start stacks, outside tests.
import { join, relative } from 'node:path'
import { afterEach, expect } from 'vitest'
import { forgetKept, showStacks } from './failed-tests.ts'
import { waitPatiently } from './patience.ts'
import { countFor, TIME_GROUPS } from './processor-time.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const { [TIME_GROUPS]: groups } = process.env
const { testPath } = expect.getState()
if (groups !== undefined && testPath !== undefined) countFor(groups, relative(ROOT, testPath))

waitPatiently()
forgetKept()

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await showStacks(task.name)
})
