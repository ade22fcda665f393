import { expect, it } from 'vitest'
import { parseExactJson } from './exact-json.ts'

it.each([
  '12345678901234567890',
  '-18446744073709551615',
  '{"seed":9007199254740993}',
  '[1,12345678901234567890]',
  '{"a":{"b":[-9007199254740993]}}',
  '{"text":"12345678901234567890"}',
  '{"__proto__":{"seed":12345678901234567890}}',
])('%s is written again as it was read', (text) => {
  expect(JSON.stringify(parseExactJson(text))).toBe(text)
})

it('keeps numbers that JavaScript can represent exactly as numbers', () => {
  expect(parseExactJson('[9007199254740991, 1234567890123456, 0.1234567890123456, 1e3]')).toEqual([
    9007199254740991, 1234567890123456, 0.1234567890123456, 1000,
  ])
})

it('accepts white space before the number', () => {
  expect(JSON.stringify(parseExactJson('{ "seed" :\n12345678901234567890 }'))).toBe('{"seed":12345678901234567890}')
})

it('rounds the numbers of a long list like JavaScript, but not a number next to a long text', () => {
  const list = `[${'1,'.repeat(200_000)}12345678901234567890]`
  expect(JSON.stringify(parseExactJson(list))).toBe(JSON.stringify(JSON.parse(list)))
  const image = `{"image":"${'A'.repeat(2_000_000)}","seed":12345678901234567890}`
  expect(JSON.stringify(parseExactJson(image))).toBe(image)
})

it('rejects text that is not JSON', () => {
  expect(() => parseExactJson('{"seed":12345678901234567890')).toThrow(SyntaxError)
})
