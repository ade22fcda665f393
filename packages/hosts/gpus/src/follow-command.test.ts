import { expect, it } from 'vitest'
import { followLocally } from './follow-command.ts'

const never = new AbortController().signal

it('a command is followed while it runs, and says how it ended', async () => {
  let output = ''
  const onOutput = (text: string): void => void (output += text)
  expect(await followLocally('sh', ['-c', 'echo one; echo two; exit 3'], { onOutput, signal: never })).toBe(3)
  expect(output).toBe('one\ntwo\n')
  expect(await followLocally('no-such-program', [], { onOutput, signal: never })).toBeUndefined()
})

it('an abort ends the command', async () => {
  const stop = new AbortController()
  const onOutput = (): void => stop.abort()
  expect(await followLocally('sh', ['-c', 'echo begun; exec sleep 600'], { onOutput, signal: stop.signal })).toBe(128)
})
