import { expect, test } from 'vitest'
import { allHoldings, claimsByHost } from './holdings.ts'
import { container, endpoint, exited, gpu, host, observed, record, view } from './testing/plan-fixture.ts'

const card = (uuid: string) => ({ uuid, name: gpu(uuid).name, simulated: true })

test('each GPU is claimed by the worker that holds it, by record or by container, or by another installation', () => {
  const byRecord = record('w1', { gpus: [card('a')] })
  const byContainer = container(record('w2', { gpus: [card('b')] }))
  const dead = record('w3', { gpus: [card('c')] })
  const machine = { ...host('h1', [], [byContainer, exited(dead)]), cardsOfOthers: ['d'], releasing: ['e'] }
  const seen = observed([view(endpoint('ep-one'), { workers: [byRecord, dead] })], [machine])
  expect(Object.fromEntries(claimsByHost(allHoldings(seen)))).toEqual({ h1: { a: 'w1', b: 'w2', d: null, e: null } })
})
