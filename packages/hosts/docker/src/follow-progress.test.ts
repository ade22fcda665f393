import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { expect, it } from 'vitest'
import { followProgress } from './images.ts'

const follow = (messages: readonly object[]): Promise<readonly string[]> => {
  const lines: string[] = []
  const stream = Readable.from(messages.map((message) => `${JSON.stringify(message)}\n`))
  return followProgress(new Docker(), stream, (line) => void lines.push(line)).then(() => lines)
}

it('reads an answer to its end, line by line', async () => {
  expect(await follow([{ stream: 'Step 1\n' }, { id: 'layer', status: 'Pulling', progress: '[=>]' }])).toEqual([
    'Step 1',
    'layer Pulling [=>]',
  ])
})

it('fails where the engine reports an error in the answer, although its status was 200', async () => {
  await expect(follow([{ stream: 'Step 1\n' }, { errorDetail: { code: 1 }, error: 'a step returned a non-zero code: 1' }])).rejects.toThrow(
    'a step returned a non-zero code: 1',
  )
})
