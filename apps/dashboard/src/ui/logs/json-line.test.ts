import { expect, it } from 'vitest'
import { parseJsonLine } from './json-line.ts'

it('a structured line is its message and what stands nowhere else', () => {
  expect(parseJsonLine('{"level":"warning","time":1,"msg":"slow disk","path":"/m","ms":12,"tags":["a"],"job":null}')).toEqual({
    message: 'slow disk',
    rest: 'path=/m ms=12 tags=["a"]',
    pretty: expect.stringContaining('"msg": "slow disk"'),
  })
})

it('an object without a message shows its members', () => {
  expect(parseJsonLine(' {"step":3} ')).toMatchObject({ message: '', rest: 'step=3' })
})

it('the id of its job is not among the members', () => {
  expect(parseJsonLine('{"message":"done","requestId":"j1","step":3}', 'j1')).toMatchObject({ message: 'done', rest: 'step=3' })
})

it('other lines are left alone', () => {
  for (const line of ['hello', '[1]', '{"a":', '{not json}', '"text"', '']) expect(parseJsonLine(line)).toBeUndefined()
})
