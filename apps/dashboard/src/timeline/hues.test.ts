import { expect, it } from 'vitest'
import { chooseHues, HUES } from './hues.ts'

const idsOf = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}-${at}`)

it('endpoints of one picture have different signs, and keep them in every other picture', () => {
  const ids = idsOf('first', 2 * HUES)
  const few = chooseHues(ids.slice(0, 3))
  expect(ids.slice(0, 3).map((id) => few(id))).toEqual([0, 1, 2])
  const all = chooseHues(ids.toReversed())
  expect(new Set(ids.map((id) => all(id))).size).toBe(2 * HUES)
  expect(ids.slice(0, 3).map((id) => all(id))).toEqual([0, 1, 2])
  const other = chooseHues(['another', ids[0] ?? ''])
  expect(other('another')).toBe(1)
})
