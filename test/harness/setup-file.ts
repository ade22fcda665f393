// Runs before each test file. Stacks are also started without a test around them, by benchmarks, so the hook is not theirs.
import { afterEach } from 'vitest'
import { showStacks } from './failed-tests.ts'

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await showStacks(task.name)
})
