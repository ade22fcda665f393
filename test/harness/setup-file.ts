// Runs before each test file. The hook is not in `stack.ts`, because benchmarks also start stacks, outside tests.
import { afterEach } from 'vitest'
import { showStacks } from './failed-tests.ts'

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await showStacks(task.name)
})
