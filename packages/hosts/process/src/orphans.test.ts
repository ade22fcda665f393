import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lifeOf } from '@runyard/kit'
import { afterEach, beforeEach, expect, test, it } from 'vitest'
import { endOrphans, livingGroup } from './orphans.ts'

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

const ours = { instanceId: 'us', pid: process.pid, life: lifeOf(process.pid) }

it('names the process group of a living worker', () => {
  expect(livingGroup(JSON.stringify(ours), 'us')).toBe(process.pid)
})

it.each([
  ['pid 1, which to kill means all processes', { ...ours, pid: 1, life: lifeOf(1) }],
  ['pid 0, our own group', { ...ours, pid: 0, life: 'x' }],
  ['a negative pid', { ...ours, pid: -process.pid }],
  ['a fraction', { ...ours, pid: 1.5 }],
  ['a text', { ...ours, pid: `${process.pid}` }],
  ['another life of the pid', { ...ours, life: '1' }],
  ['no life', { instanceId: 'us', pid: process.pid }],
  ['a worker that has ended', { ...ours, exit: { exitCode: 0 } }],
  ['a worker of another install', { ...ours, instanceId: 'them' }],
  ['no object', 7],
])('names none for %s', (_title, record) => {
  expect(livingGroup(JSON.stringify(record), 'us')).toBeUndefined()
})

it('names none for half a file', () => {
  expect(livingGroup('{"pid":', 'us')).toBeUndefined()
})
