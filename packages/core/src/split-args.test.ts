import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinArgs, splitArgs } from './split-args.ts'

test('any words, joined to one line, are split into exactly those words again', () => {
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
])('%j is joined in the way users write it', (words, line) => {
  expect(joinArgs(words)).toBe(line)
})

test('double quotes may contain escapes, line breaks and single quotes', () => {
  expect(splitArgs(String.raw`a"b \"c\" \$d \e 'f'"g "" "h`.concat('\\\ni"'))).toEqual([`ab "c" $d \\e 'f'g`, '', 'hi'])
})

test.each([`'`, `"`, `"\\"`, `\\`, `a "b`])('%s is rejected as never closed', (line) => {
  expect(() => splitArgs(line)).toThrow(/is never closed/)
})

test.each([
  ['single quotes', `'${'x'.repeat(1e7)}'`],
  ['double quotes', `"${'x'.repeat(1e7)}"`],
  ['double quotes full of escapes', `"${'\\n'.repeat(5e6)}"`],
  ['no quotes', 'x'.repeat(1e7)],
])('a word of 10 MB in %s is read as one word', (_what, line) => {
  expect(splitArgs(line).map((word) => word.length)).toEqual([1e7])
})
