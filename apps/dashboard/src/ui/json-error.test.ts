import { expect, it } from 'vitest'
import { findJsonError } from './json-error.ts'

it.each([
  ['{"a": 1}', undefined],
  ['{\n  "a": 1,\n  b: 2\n}', 'Line 3, column 3: Expected double-quoted property name.'],
  ['{"a": }', "Line 1, column 7: Unexpected token '}'."],
  ['{"a": oops}', "Line 1, column 7: Unexpected token 'o'."],
  [
    '{"list": [\n  1,\n  {"deep": oops, "far": "enough for the browser to cut what it quotes"}\n]}',
    "Line 3, column 12: Unexpected token 'o'.",
  ],
  ['{"a": "b}', 'Line 1, column 10: Unterminated string.'],
  ['[1] 2', 'Line 1, column 5: Unexpected non-whitespace character after JSON.'],
  ['', 'Line 1, column 1: Unexpected end of JSON input.'],
])('says where %j stops being JSON', (text, expected) => {
  expect(findJsonError(text)?.message).toBe(expected)
})

// Within an escape, a number or a word it may name a letter that is further on; ours is where the word begins.
it('the place is the browser’s own where the browser names it', () => {
  const valid = '{"a": [1, 25, 6], "b": {"c": "d e", "f": {}}, "g": []}'
  const broken = Array.from(valid).flatMap((_, at) =>
    ['', 'x', '"', '{', ']', ',', ':'].map((put) => valid.slice(0, at) + put + valid.slice(at + 1)),
  )
  const named = broken.flatMap((text) => {
    const [, position] = /at position (\d+)/u.exec(messageOf(text) ?? '') ?? []
    return position === undefined ? [] : [{ text, position: Number(position) }]
  })
  expect(named.length).toBeGreaterThan(50)
  expect(named.map(({ text }) => ({ text, position: findJsonError(text)?.position }))).toEqual(named)
})

function messageOf(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return String(error)
  }
}
