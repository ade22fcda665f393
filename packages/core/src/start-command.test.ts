import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { startCommandOf, joinArgs, splitArgs } from './start-command.ts'

test.each([
  ['', undefined, [], []],
  ['python -u /handler.py', undefined, [], ['python', '-u', '/handler.py']],
  ['-c "sleep 1"', ['sh'], ['sh'], ['-c', 'sleep 1']],
  ['{ "cmd": ["echo foo && /start.sh"], "entrypoint": ["bash", "-c"] }', undefined, ['bash', '-c'], ['echo foo && /start.sh']],
  ['\n{"cmd": ["python", "a b.py"]}', ['sh'], ['sh'], ['python', 'a b.py']],
  ['{"entrypoint": []}', ['sh'], [], []],
  ['{ echo', undefined, [], ['{', 'echo']],
])('the start command %j beside the entrypoint %j', (args, entrypoint, expectedEntrypoint, expectedArgs) => {
  expect(startCommandOf({ args, entrypoint })).toEqual({ entrypoint: expectedEntrypoint, args: expectedArgs })
})

test.each(['{"cmd": "python handler.py"}', '{"cmd": ["a"], "entry": []}', '{"cmd": ["a"]', '{"cmd": [1]}'])(
  'the start command %s is rejected with one sentence',
  (args) => {
    expect(() => startCommandOf({ args })).toThrow(`each a list of words; ${args} was given.`)
  },
)

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

test('outside of quotes, a backslash before a line break joins the lines', () => {
  expect(splitArgs('a\\\nb \\c')).toEqual(['ab', 'c'])
})
