// A plain TCP balancer in front of several gateways: round robin per connection, bytes passed through, without knowledge of HTTP. A backend that
// refuses a connection is skipped for it; when a backend dies, its connections break and the clients' next ones go to another.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Balancer extends AsyncDisposable {
  readonly port: number
  /** Connections per backend so far, in the order of the backends. */
  readonly passed: () => readonly number[]
}

export async function startBalancer(listenAt: Address, backends: readonly Address[]): Promise<Balancer> {
  const passed = backends.map(() => 0)
  const open = new Set<Socket>()
  let next = 0

  async function pass(client: Socket): Promise<void> {
    const first = next
    next = (next + 1) % backends.length
    for (let tried = 0; tried < backends.length; tried += 1) {
      const index = (first + tried) % backends.length
      const backend = await reach(backends[index])
      if (backend === undefined) continue
      if (client.destroyed) return void backend.destroy()
      passed[index] = (passed[index] ?? 0) + 1
      return join(client, backend)
    }
    client.destroy()
  }

  function join(client: Socket, backend: Socket): void {
    open.add(backend)
    client.pipe(backend).pipe(client)
    client.once('close', () => backend.destroy())
    backend.once('close', () => {
      open.delete(backend)
      // After the pending writes.
      client.destroySoon()
    })
  }

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    open.add(client)
    client.on('error', () => undefined).once('close', () => open.delete(client))
    void pass(client)
  })
  server.listen(listenAt.port, listenAt.host)
  await once(server, 'listening')
  return {
    port: listenAt.port,
    passed: () => passed,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** A connected socket, or undefined if no process listens. */
async function reach(address: Address | undefined): Promise<Socket | undefined> {
  if (address === undefined) return undefined
  const socket = connect({ ...address, noDelay: true })
  socket.on('error', () => undefined)
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  socket.once('connect', () => resolve(socket)).once('close', () => resolve(undefined))
  return await promise
}
