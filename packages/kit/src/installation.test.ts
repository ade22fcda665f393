import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instance } from '@runyard/schema'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readOwn, settleInstallation, watchInstallation } from './installation.ts'

const OURS: Instance = { id: 'ours', workerSecret: 's1' }
const THEIRS: Instance = { id: 'theirs', workerSecret: 's2' }
let dataDir: string
let stored: Instance | undefined
let warnings: string[]

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'runyard-installation-'))
  stored = undefined
  warnings = []
})

afterEach(async () => {
  await rm(dataDir, { recursive: true })
})

const log = { warn: (_facts: unknown, message?: string) => void warnings.push(message ?? '') }
/** The same as in the store. */
const claim = async (own: Instance | undefined) => {
  const isWritten = stored === undefined
  stored ??= own ?? OURS
  return { instance: stored, isWritten }
}
const settle = () => settleInstallation({ claim, dataDir, log })

test('an installation is created once, and stored in Redis and in the data directory, where only its owner can read it', async () => {
  expect(await settle()).toEqual(OURS)
  expect(await readOwn(dataDir)).toEqual(OURS)
  expect((await stat(join(dataDir, 'instance'))).mode & 0o777).toBe(0o600)
  expect(await settle()).toEqual(OURS)
  expect([stored, warnings]).toEqual([OURS, []])
})

test('a new data directory joins the installation of its Redis', async () => {
  stored = THEIRS
  expect(await settle()).toEqual(THEIRS)
  expect(await readOwn(dataDir)).toEqual(THEIRS)
})

test('an emptied Redis gets the installation back, which is logged', async () => {
  await settle()
  stored = undefined
  expect(await settle()).toEqual(OURS)
  expect(stored).toEqual(OURS)
  expect(warnings).toEqual([expect.stringContaining('Redis had been emptied')])
})

test('a Redis of another installation is rejected with one sentence that says what to do, and stays unchanged', async () => {
  await settle()
  stored = THEIRS
  await expect(settle()).rejects.toThrow(
    `The data directory ${dataDir} belongs to the installation ours, and this Redis to the installation theirs: name its own Redis in redis.url or another directory with --data DIR; to let the directory join this Redis for good, delete ${join(dataDir, 'instance')}.`,
  )
  expect(stored).toEqual(THEIRS)
})

test.each(['', '{}', '{"id":""}', 'nonsense'])('a damaged file (%j) is rejected and left unchanged', async (text) => {
  const path = join(dataDir, 'instance')
  await writeFile(path, text)
  await expect(settle()).rejects.toThrow(`${path} is damaged`)
  expect(await readFile(path, 'utf8')).toBe(text)
})

test('a running process restores the installation in an emptied Redis', async () => {
  const own = await settle()
  const onRestored = vi.fn()
  using watch = watchInstallation({ claim, dataDir, log, own, onRestored })
  watch.look()
  stored = undefined
  watch.look()
  await vi.waitFor(() => expect(onRestored).toHaveBeenCalledOnce())
  expect(stored).toEqual(OURS)
})
