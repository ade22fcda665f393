import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinArgs, splitArgs } from './split-args.ts'

test('any words, joined to one line, are read as exactly those words', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitArgs(joinArgs(words))).toEqual(words)
    }),
  )
})

test.each([
  [['python', '-u', '/handler.py'], 'python -u /handler.py'],
  [['echo', 'two words', ''], "echo 'two words' ''"],
  [["it's"], String.raw`'it'\''s'`],
])('%j is written as people would write it', (words, line) => {
  expect(joinArgs(words)).toBe(line)
})
