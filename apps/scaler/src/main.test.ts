import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '@runyard/testing'
import { dieWithUs } from '@runyard/testing/die-with-us'
import { expect, it } from 'vitest'

/** Takes connections and never answers, so that the scaler's start takes its time. */
async function openDeafEngine(socket: string): Promise<AsyncDisposable> {
  const server = createServer(() => undefined).listen(socket)
  await once(server, 'listening')
  return { [Symbol.asyncDispose]: async () => void server.close() }
}

it('a scaler that is stopped during its start ends, even if it would drain its workers', { timeout: 60_000 }, async () => {
  await using scope = new AsyncDisposableStack()
  const redis = scope.use(await startRedis())
  const directory = scope.adopt(await mkdtemp(join(tmpdir(), 'runyard-scaler-')), (path) => rm(path, { recursive: true }))
  const socket = join(directory, 'engine.sock')
  scope.use(await openDeafEngine(socket))
  const env = {
    ...process.env,
    RUNYARD_REDIS_URL: redis.url,
    RUNYARD_DATA_DIR: directory,
    RUNYARD_HOSTS: JSON.stringify([{ id: 'deaf', kind: 'docker', socket }]),
    RUNYARD_DRAIN_ON_STOP: '1',
  }
  const [command, args] = dieWithUs(process.execPath, [join(import.meta.dirname, 'main.ts')])
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  scope.defer(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await expect.poll(() => said, { timeout: 40_000 }).toContain('hosts: deaf')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})
