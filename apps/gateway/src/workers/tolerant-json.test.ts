import { expect, it } from 'vitest'
import { parseTolerantJson } from './tolerant-json.ts'

it.each([
  ['{"a": NaN}', { a: null }],
  ['[Infinity, -Infinity, NaN]', [null, null, null]],
  ['{"NaN": "Infinity \\" NaN", "b": NaN}', { NaN: 'Infinity " NaN', b: null }],
  ['["\\\\", NaN]', ['\\', null]],
  ['NaN', null],
  ['"NaN"', 'NaN'],
])('reads %s', (text, expected) => {
  expect(parseTolerantJson(text)).toEqual(expected)
})

it.each(['{"a": NaNa}', '{broken', 'NaN NaN', '["unclosed NaN'])('refuses %s', (text) => {
  expect(() => parseTolerantJson(text)).toThrow(SyntaxError)
})
