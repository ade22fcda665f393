import { expect, test } from 'vitest'
import { startCommandOf } from './start-command.ts'

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
