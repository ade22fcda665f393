import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readReprString } from './failure.ts'

describe('a string in what Python prints', () => {
  it.each([
    [String.raw`{'message': 'it\'s \x41\u00e9\U0001f600\n'}`, "it's Aé😀\n"],
    [String.raw`{'type': 1, 'message': "a 'b'"}`, "a 'b'"],
    [String.raw`{'message': '\Uffffffff and \U00110000'}`, String.raw`\Uffffffff and \U00110000`],
    ['{"message": "json"}', undefined],
    ["{'message': 'no end", undefined],
  ])('of %s is %s', (text, expected) => {
    expect(readReprString(text, 'message')).toBe(expected)
  })

  it('is read without a throw, whatever a worker posts', () => {
    const piece = fc.constantFrom("{'message': '", "'", '"', '\\', '\\x', '\\U', 'f', 'F', '0', 'ffffffff', '}')
    const posted = fc.array(piece).map((pieces) => pieces.join(''))
    const isRead = (text: string): boolean => ['string', 'undefined'].includes(typeof readReprString(text, 'message'))
    expect(fc.check(fc.property(posted, isRead)).counterexample).toBeNull()
  })
})
