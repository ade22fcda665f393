import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endOrphans } from './orphans.ts'
import { lifeOf } from '@runyard/kit'

let scratchDir: string

beforeEach(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'runyard-orphans-'))
})

afterEach(async () => {
  await rm(scratchDir, { recursive: true })
})

/** A worker's process, in a group of its own, and its file. */
async function startWorker(workerId: string, instanceId: string, life?: string) {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  const pid = child.pid ?? 0
  const file = { instanceId, workerId, endpointId: 'e', specHash: 's', gpuUuids: [], pid, life: life ?? lifeOf(pid), startedAt: 1 }
  await mkdir(join(scratchDir, workerId))
  await writeFile(join(scratchDir, workerId, 'worker.json'), JSON.stringify(file))
  return child
}

test('workers of an earlier installation are ended and removed, ours and processes that only have such a pid are not', async () => {
  const theirs = await startWorker('theirs', 'old')
  const ours = await startWorker('ours', 'new')
  const reused = await startWorker('reused', 'old', '1')
  const warnings: string[] = []
  const ended = once(theirs, 'exit')
  await endOrphans({ scratchDir, instanceId: 'new', log: { warn: (_facts, message) => void warnings.push(message) } })
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(await readdir(scratchDir)).toEqual(['ours'])
  expect([ours, reused].map(({ pid }) => lifeOf(pid ?? 0) !== undefined)).toEqual([true, true])
  expect(warnings).toHaveLength(2)
  for (const child of [ours, reused]) child.kill('SIGKILL')
})
