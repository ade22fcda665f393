import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lifeOf } from '@runyard/kit'
import { ProcessHostConfig } from '@runyard/schema'
import { expect, it } from 'vitest'
import { livingGroup, stopAtOnce } from './stop-at-once.ts'

const ours = { pid: process.pid, life: lifeOf(process.pid) }

it('names the process group of a living worker', () => {
  expect(livingGroup(JSON.stringify(ours))).toBe(process.pid)
})

it.each([
  ['pid 1, which to kill means all processes', { pid: 1, life: lifeOf(1) }],
  ['pid 0, our own group', { pid: 0, life: 'x' }],
  ['a negative pid', { ...ours, pid: -process.pid }],
  ['a fraction', { ...ours, pid: 1.5 }],
  ['a text', { ...ours, pid: `${process.pid}` }],
  ['another life of the pid', { ...ours, life: '1' }],
  ['no life', { pid: process.pid }],
  ['a worker that has ended', { ...ours, exit: { exitCode: 0 } }],
  ['no object', 7],
])('names none for %s', (_title, record) => {
  expect(livingGroup(JSON.stringify(record))).toBeUndefined()
})

it('names none for half a file', () => {
  expect(livingGroup('{"pid":')).toBeUndefined()
})

it('kills the worker whose process it is, and goes on past a file that lies', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'runyard-stop-'))
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  const worker = { pid: child.pid, life: lifeOf(child.pid ?? 0) }
  for (const [name, text] of Object.entries({ a: '{"pid":1}', b: 'no JSON', c: JSON.stringify(worker) })) {
    await mkdir(join(dataDir, 'hosts', 'local', name), { recursive: true })
    await writeFile(join(dataDir, 'hosts', 'local', name, 'worker.json'), text)
  }
  const choice = { hosts: [ProcessHostConfig.parse({ kind: 'process' })], agentVolume: undefined, planeHost: '127.0.0.1' }
  expect(await stopAtOnce({ kill: () => {}, instanceId: () => undefined, choice, dataDir })).toEqual([])
  expect(await ended).toBe('SIGKILL')
  await rm(dataDir, { recursive: true })
})
