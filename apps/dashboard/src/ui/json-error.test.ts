import { expect, it } from 'vitest'
import { describeJsonError } from './json-error.ts'

it.each([
  ['{"a": 1}', undefined],
  ['{\n  "a": 1,\n  b: 2\n}', 'Line 3, column 3: Expected double-quoted property name.'],
  ['{"a": }', 'This is not JSON: Unexpected token \'}\', "{"a": }" is not valid JSON.'],
  ['', 'This is not JSON: Unexpected end of JSON input.'],
])('says where %j stops being JSON', (text, expected) => {
  expect(describeJsonError(text)).toBe(expected)
})
