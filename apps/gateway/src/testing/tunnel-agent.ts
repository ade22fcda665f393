// Test fixture: the agent's side of tunnels, as small as it can be: keeps some spare ones open and joins each to the port that the gateway names.
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestWorker } from './gateway.ts'

export interface TunnelAgent extends AsyncDisposable {
  /** Ports that the gateway has asked for. */
  readonly asked: number[]
  /** Ends as a worker does that is killed. */
  kill(): void
}

interface AgentOptions {
  readonly url: string
  readonly endpointId: string
  readonly worker: Pick<TestWorker, 'id' | 'token'>
  /** The port on this machine, whatever port the gateway asks for. */
  readonly port: number
  readonly spare?: number
}

export function openTunnelAgent({ url, endpointId, worker, port, spare = 2 }: AgentOptions): TunnelAgent {
  const sockets = new Set<Socket>()
  const asked: number[] = []
  let ended = false
  const openOne = (): void => {
    if (ended) return
    const headers = { authorization: worker.token, connection: 'Upgrade', upgrade: 'runyard-tunnel' }
    const opening = request(`${url}/v2/${endpointId}/tunnel/${worker.id}`, { headers, agent: false })
    opening.on('error', () => undefined)
    opening.on('upgrade', (_response, socket: Socket, head: Buffer) => {
      if (ended) {
        socket.destroy()
        return
      }
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
      socket.once('data', (chunk: Buffer) => {
        openOne()
        asked.push(chunk.readUInt16BE(0))
        const local = connect(port, '127.0.0.1', () => {
          socket.write(Buffer.of(0))
          local.pipe(socket).pipe(local)
        })
        local.on('error', () => socket.end(Buffer.of(1)))
        socket.on('close', () => local.destroy())
      })
      socket.unshift(head)
    })
    opening.end()
  }
  const kill = (): void => {
    ended = true
    for (const socket of sockets) socket.destroy()
  }
  for (let count = 0; count < spare; count += 1) openOne()
  return { asked, kill, [Symbol.asyncDispose]: async () => kill() }
}
