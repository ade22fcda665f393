import type { Gpu } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestLinked } from './gpu-links.ts'
import { gpu, host, endpoint } from './testing/plan-fixture.ts'
import { place } from './placement.ts'

const cards = (count: number): Gpu[] => Array.from({ length: count }, (_, at) => gpu(`g${at}`))
const link = (from: number, to: number, score: number) => ({ from: `g${from}`, to: `g${to}`, score })
const chosen = (gpus: readonly Gpu[], count: number, links: readonly ReturnType<typeof link>[]) =>
  bestLinked(gpus, count, [...links]).map(({ uuid }) => uuid)

test('a worker with two of three GPUs gets the bridged pair, and one with a single GPU the GPU without a bridge', () => {
  const links = [link(0, 1, 2), link(0, 2, 2), link(1, 2, 14)]
  expect(chosen(cards(3), 2, links)).toEqual(['g1', 'g2'])
  expect(chosen(cards(3), 1, links)).toEqual(['g0'])
})

test('without known links the first GPUs are taken', () => {
  expect(chosen(cards(3), 2, [])).toEqual(['g0', 'g1'])
  expect(chosen(cards(17), 2, [link(5, 6, 14)])).toEqual(['g0', 'g1'])
  expect(chosen(cards(2), 2, [link(0, 1, 1)])).toEqual(['g0', 'g1'])
})

test('the worst link counts before the sum: a cube of eight has squares and pairs without a link', () => {
  // 0-1-2-3 are a ring without diagonals; 4-5-6-7 are all linked.
  const ring = [link(0, 1, 20), link(1, 2, 20), link(2, 3, 20), link(3, 0, 20)]
  const full = [4, 5, 6, 7].flatMap((from) => [4, 5, 6, 7].filter((to) => to > from).map((to) => link(from, to, 11)))
  expect(chosen(cards(8), 4, [...ring, ...full])).toEqual(['g4', 'g5', 'g6', 'g7'])
})

test('placement gives the best-linked GPUs of a host that are free', () => {
  const links = [link(0, 1, 14), link(2, 3, 12), link(1, 2, 2)]
  const { spec } = endpoint('ep', { spec: { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 2, allowedCudaVersions: [] } } })
  const { inventory } = host('h1', cards(4))
  const held = { hostId: 'h1', gpuUuids: ['g0'], cpus: 0, memoryBytes: 0 }
  const placed = inventory === undefined ? undefined : place(spec, [{ ...inventory, links }], [held])
  expect(placed).toMatchObject({ gpus: [{ uuid: 'g2' }, { uuid: 'g3' }] })
})

test('no other choice has a better worst link', () => {
  const scores = fc.array(fc.nat(20), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(scores, fc.integer({ min: 2, max: 4 }), (values, count) => {
      const all = [0, 1, 2, 3, 4].flatMap((from) => [0, 1, 2, 3, 4].filter((to) => to > from).map((to) => [from, to] as const))
      const links = all.map(([from, to], at) => link(from, to, values[at] ?? 0))
      const worstOf = (uuids: readonly string[]) =>
        Math.min(...links.filter(({ from, to }) => uuids.includes(from) && uuids.includes(to)).map(({ score }) => score))
      const best = chosen(cards(5), count, links)
      expect(new Set(best).size).toBe(count)
      const masks = Array.from({ length: 32 }, (_, mask) =>
        [0, 1, 2, 3, 4].filter((bit) => (mask >> bit) % 2 === 1).map((bit) => `g${bit}`),
      )
      const others = masks.filter(({ length }) => length === count).map(worstOf)
      expect(worstOf(best)).toBe(Math.max(...others))
    }),
  )
})
