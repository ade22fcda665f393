import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it, vi } from 'vitest'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'

it('asks on a connection of its own each time, so that none is used that is just being closed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-engine-'))
  const socket = join(directory, 'docker.sock')
  const used = new WeakSet<object>()
  const engine = createServer((request, response) => {
    if (used.has(request.socket)) request.socket.destroy()
    used.add(request.socket)
    response.setHeader('content-type', 'application/json').end('[]')
  })
  await once(engine.listen(socket), 'listening')
  await using host = createDockerHost({ label: 'h', connection: { kind: 'unix', socket }, instanceId: 'i' })
  for (let call = 0; call < 3; call += 1) expect(await host.listWorkers()).toEqual([])
  engine.close()
  await rm(directory, { recursive: true })
})

it('asks the engine of its socket, whatever the environment of the Docker CLI names', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-engine-'))
  const socket = join(directory, 'docker.sock')
  const engine = createServer((_, response) => response.setHeader('content-type', 'application/json').end('{"Version":"ours"}'))
  await once(engine.listen(socket), 'listening')
  const other = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(directory, 'nowhere') }
  for (const host of ['tcp://127.0.0.1:1', 'ssh://me@127.0.0.1', '127.0.0.1:1', 'unix:///nowhere', '://']) {
    for (const [name, value] of Object.entries({ DOCKER_HOST: host, ...other })) vi.stubEnv(name, value)
    expect(await openEngine({ kind: 'unix', socket }).docker().version()).toEqual({ Version: 'ours' })
    expect(process.env['DOCKER_HOST']).toBe(host)
  }
  vi.unstubAllEnvs()
  engine.close()
  await rm(directory, { recursive: true })
})

it.each([
  { kind: 'unix', socket: '/nowhere' },
  { kind: 'ssh', host: 'h', user: undefined, port: undefined, socket: '/nowhere' },
] as const)('over $kind, a call prints nothing of its connections, which would cost more than the call', async (connection) => {
  await using engine = openEngine(connection)
  const { modem } = engine.docker()
  expect(inspect(modem['agent' as keyof typeof modem], { showHidden: true, depth: null })).toBe('Agent')
})
