import { expect, test } from 'vitest'
import { useStores } from './testing/test-store.ts'

const stores = useStores()
const measure = (jobs: number) => ({ endpointId: 'ep-1', cause: 'ttl', status: 'TIMED_OUT', jobs }) as const

test('each measure is taken once, by one of the gateways that ask at the same moment', async () => {
  const [scaler, one, two] = [await stores.open(), await stores.open(), await stores.open()]
  const handed = Array.from({ length: 2500 }, (_, n) => measure(n))
  await scaler.measures.hand(handed)
  const taken = (await Promise.all([one.measures.take(), two.measures.take()])).flat()
  expect(taken.map(({ jobs }) => jobs).toSorted((a, b) => a - b)).toEqual(handed.map(({ jobs }) => jobs))
  expect(await one.measures.take()).toEqual([])
})

test('measures that no gateway takes are at most ten thousand, the newest', async () => {
  const { measures } = await stores.open()
  await measures.hand([])
  await measures.hand(Array.from({ length: 10_000 }, () => measure(1)))
  await measures.hand([measure(2)])
  const taken = await measures.take()
  expect([taken.length, taken.at(-1)?.jobs]).toEqual([10_000, 2])
})
