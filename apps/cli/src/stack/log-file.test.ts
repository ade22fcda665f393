import { mkdir, mkdtemp, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLogFile } from './log-file.ts'

let path: string
const troubles: string[] = []
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'runyard-log-')), 'part.log')
  troubles.length = 0
})
afterEach(() => rm(join(path, '..'), { recursive: true }))

const open = (largestBytes?: number) => {
  const options = { onTrouble: (sentence: string) => troubles.push(sentence) }
  const append = createLogFile(path, largestBytes === undefined ? options : { ...options, largestBytes })
  return (text: string) => append(Buffer.from(text))
}

it('appends to an existing file, readable only by its owner', async () => {
  open()('one\n')
  open()('two\n')
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\n')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it('starts a new file when the file is large, and keeps the old one', async () => {
  const append = open(5)
  for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) append(text)
  expect([await readFile(`${path}.1`, 'utf8'), await readFile(path, 'utf8')]).toEqual(['three\n', 'four\n'])
})

it('drops output that cannot be written, reports it once, and continues when writing works again', async () => {
  await mkdir(path)
  const append = open()
  append('lost\n')
  append('lost, too\n')
  await rmdir(path)
  append('kept\n')
  expect(await readFile(path, 'utf8')).toBe('kept\n')
  expect(troubles).toEqual([`${path} cannot be written (EISDIR); its lines are lost until it can be`])
})

it.runIf(process.platform === 'linux')('survives a full disk', () => {
  const append = createLogFile('/dev/full', { onTrouble: (sentence) => troubles.push(sentence) })
  append(Buffer.from('lost'))
  expect(troubles).toEqual(['/dev/full cannot be written (ENOSPC); its lines are lost until it can be'])
})
