import { expect, test } from 'vitest'
import { endsRest, restAfter, restsUntil } from './open-hosts.ts'

const broken = (at: number, what: 'host' | 'gpus' = 'host') => ({ what, at, message: `broken at ${at}` })

test('starts that fail together are one round, and each further round extends the rest', () => {
  const first = restAfter(undefined, broken(0))
  expect(restsUntil(first)).toBe(10_000)
  expect(restAfter(first, broken(500))).toEqual({ ...first, message: 'broken at 500' })
  const second = restAfter(first, broken(10_000))
  expect(second.count).toBe(2)
  expect(restsUntil(second)).toBe(40_000)
})

test('a failure of its GPUs does not open a host that rests as a whole', () => {
  expect(restAfter(restAfter(undefined, broken(0)), broken(1, 'gpus')).what).toBe('host')
  expect(restAfter(restAfter(undefined, broken(0, 'gpus')), broken(1)).what).toBe('host')
})

test('only a worker with a real GPU ends a rest of the GPUs', () => {
  const gpus = restAfter(undefined, broken(0, 'gpus'))
  expect([[], [{ simulated: true }], [{ simulated: false }]].map((own) => endsRest(gpus, { gpus: own }))).toEqual([false, false, true])
  expect(endsRest(restAfter(undefined, broken(0)), { gpus: [] })).toBe(true)
})
