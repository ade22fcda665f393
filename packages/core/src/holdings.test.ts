import { expect, test } from 'vitest'
import { allHoldings, claimsByHost, sharersByHost } from './holdings.ts'
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

test('a GPU that one worker has alone has no sharers', () => {
  const [alone, sharing] = [
    record('w1', { gpus: [card('a')] }),
    record('w2', { gpus: [{ ...card('b'), part: { bytes: 8e9, ofBytes: 24e9 } }] }),
  ]
  const seen = observed([view(endpoint('ep-one'), { workers: [alone, sharing] })], [host('h1', [])])
  expect(Object.fromEntries(sharersByHost(allHoldings(seen)))).toEqual({ h1: { b: [{ workerId: 'w2', bytes: 8e9 }] } })
})
