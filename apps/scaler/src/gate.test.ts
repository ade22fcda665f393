import { expect, test } from 'vitest'
import { createGate, type HostLimit } from './gate.ts'

test('a host that hangs holds up no other one, and workers that do not end hold up nothing but each other', async () => {
  const gate = createGate({ perHost: 2, undyingPerHost: 1 })
  const begun: string[] = []
  const hung: PromiseWithResolvers<void>[] = []
  const hang = (name: string, limit: HostLimit): Promise<void> =>
    gate(limit, () => {
      begun.push(name)
      const one = Promise.withResolvers<void>()
      hung.push(one)
      return one.promise
    })
  const all = [hang('one', { hostId: 'a', isUndying: true }), hang('two', { hostId: 'a', isUndying: true })]
  all.push(hang('stop', { hostId: 'a' }), hang('start', { hostId: 'a' }), hang('third', { hostId: 'a' }), hang('other', { hostId: 'b' }))
  expect(begun).toEqual(['one', 'stop', 'start', 'other'])
  hung[0]?.resolve()
  await all[0]
  hung[1]?.resolve()
  await all[2]
  await Promise.resolve()
  expect(begun.slice(4).toSorted()).toEqual(['third', 'two'])
  for (const { resolve } of hung) resolve()
  await Promise.all(all)
})
