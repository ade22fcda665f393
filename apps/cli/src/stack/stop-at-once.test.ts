import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lifeOf } from '@runyard/kit'
import { Config, ProcessHostConfig } from '@runyard/schema'
import { expect, it } from 'vitest'
import { stopAtOnce } from './stop-at-once.ts'

it('kills the worker whose process it is, and goes on past a file that lies', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'runyard-stop-'))
  await writeFile(join(dataDir, 'instance'), JSON.stringify({ id: 'us', workerSecret: 'x' }))
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  const worker = { instanceId: 'us', pid: child.pid, life: lifeOf(child.pid ?? 0) }
  for (const [name, text] of Object.entries({ a: '{"pid":1}', b: 'no JSON', c: JSON.stringify(worker) })) {
    await mkdir(join(dataDir, 'hosts', 'local', name), { recursive: true })
    await writeFile(join(dataDir, 'hosts', 'local', name, 'worker.json'), text)
  }
  const choice = { hosts: [ProcessHostConfig.parse({ kind: 'process' })], planeHost: '127.0.0.1' }
  expect(await stopAtOnce({ kill: () => {}, instanceId: () => undefined, choice, dataDir, config: Config.parse({}) })).toEqual([])
  expect(await ended).toBe('SIGKILL')
  await rm(dataDir, { recursive: true })
})
