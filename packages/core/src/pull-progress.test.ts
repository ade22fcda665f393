import { expect, test } from 'vitest'
import { addPullLine, NO_PROGRESS, pulledBytes, pullWords } from './pull-progress.ts'

const after = (lines: readonly string[]) => pullWords(lines.reduce(addPullLine, NO_PROGRESS))

test.each<[readonly string[], string | undefined]>([
  [[], undefined],
  [['1.0 Pulling from library/big', 'Digest: sha256:abc', 'Status: Downloaded newer image for big:1.0'], undefined],
  [['4f4fb700ef54 Pulling fs layer', 'c0ffee00c0de Waiting'], '0 of 2 layers'],
  [['4f4fb700ef54 Downloading'], '0 of 1 layers'],
  [['4f4fb700ef54 Downloading [=>   ]  1.5MB/30.25MB', 'c0ffee00c0de Downloading [=>   ] 500kB/1GB'], '0 of 2 layers, 2 of 1030 MB'],
  [['4f4fb700ef54 Downloading [=>   ]  1.5MB/30MB', '4f4fb700ef54 Download complete'], '0 of 1 layers, 30 of 30 MB'],
  [['4f4fb700ef54 Downloading [=>   ]  1.5MB/30MB', '4f4fb700ef54 Extracting [=> ] 3MB/30MB'], '0 of 1 layers, 30 of 30 MB'],
  [
    ['4f4fb700ef54 Downloading [=>   ]  1.5MB/30MB', '4f4fb700ef54 Pull complete', 'c0ffee00c0de Already exists'],
    '2 of 2 layers, 30 of 30 MB',
  ],
])('after the lines %j of an engine a pull is at %j', (lines, words) => {
  expect(after(lines)).toBe(words)
})

test('what is pulled is the sum of the layers, finished or not', () => {
  const lines = ['4f4fb700ef54 Downloading [=> ] 1.5MB/30MB', 'c0ffee00c0de Downloading [=> ] 2kB/9kB', 'c0ffee00c0de Pull complete']
  expect(pulledBytes(lines.reduce(addPullLine, NO_PROGRESS))).toBe(1_509_000)
})
