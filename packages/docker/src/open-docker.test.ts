import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createDockerHost } from './docker-host.ts'

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
  await using host = createDockerHost({ label: 'h', socket, instanceId: 'i' })
  for (let call = 0; call < 3; call += 1) expect(await host.listWorkers()).toEqual([])
  engine.close()
  await rm(directory, { recursive: true })
})
