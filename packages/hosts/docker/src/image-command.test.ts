import { expect, test } from 'vitest'
import { mergeCommand } from './image-command.ts'

const own = { entrypoint: ['python3', 'serve.py'], args: ['--all'] }

test.each([
  ['its own', { entrypoint: [], args: [] }, ['python3', 'serve.py', '--all']],
  ['other arguments of its own program', { entrypoint: [], args: ['--one'] }, ['python3', 'serve.py', '--one']],
  ['another program, without the arguments of its own', { entrypoint: ['sh'], args: [] }, ['sh']],
  ['another program with arguments', { entrypoint: ['sh', '-c'], args: ['serve'] }, ['sh', '-c', 'serve']],
])('an image runs %s', (_what, given, command) => {
  expect(mergeCommand(own, given)).toEqual(command)
})

test('an image without a command runs none', () => {
  expect(mergeCommand({ entrypoint: [], args: [] }, { entrypoint: [], args: [] })).toEqual([])
})
