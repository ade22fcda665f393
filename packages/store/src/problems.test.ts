import { expect, test } from 'vitest'
import { versionProblem } from './problems.ts'

test.each([
  ['5.0.14', true],
  ['6.0.16', true],
  ['6.2.0', false],
  ['7.0.15', false],
  ['10.0.0', false],
  ['unstable', false],
])('Redis "%s" is too old: %s', (version, isTooOld) => {
  const problem = versionProblem(new Map([['redis_version', version]]))
  expect(problem).toEqual(
    isTooOld ? { kind: 'too_old', message: `Redis ${version} is too old: Runyard needs Redis 6.2 or newer, or Valkey.` } : undefined,
  )
})
