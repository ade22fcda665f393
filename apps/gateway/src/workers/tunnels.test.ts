// Tunnels to the ports of workers (ADR 69): who may open one, what a tunnel carries, and what its end means.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openTunnelAgent } from '../testing/tunnel-agent.ts'
import { useGateway, type GatewaySite } from '../testing/use-gateway.ts'

let site: GatewaySite
let server: Server
let port: number

useGateway({}, (entered) => {
  site = entered
})

beforeAll(async () => {
  server = createServer((incoming, response) => response.end(`you asked for ${incoming.url}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

const agentOf = (more: { port?: number; spare?: number; token?: string } = {}) => {
  const { gateway, ep, worker } = site
  return openTunnelAgent({
    url: gateway.workerPlaneUrl,
    endpointId: ep,
    worker: { id: worker.id, token: more.token ?? worker.token },
    port: more.port ?? port,
    ...(more.spare === undefined ? {} : { spare: more.spare }),
  })
}
const tunnels = () => site.gateway.tunnels
const reached = () => vi.waitUntil(() => tunnels().has(site.worker.id))

function get(socket: Socket, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ path, createConnection: () => socket, headers: { connection: 'close' } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject).end()
  })
}

describe('a tunnel', () => {
  test('carries a request to the port that the gateway names', async () => {
    await using agent = agentOf()
    await reached()
    expect(await get(await tunnels().open(site.worker.id, 8080), '/a?b=c')).toBe('you asked for /a?b=c')
    expect(agent.asked).toEqual([8080])
  })

  test('is opened anew while others are in use, and waited for', async () => {
    await using agent = agentOf({ spare: 1 })
    await reached()
    const sockets = await Promise.all([1, 2, 3].map(() => tunnels().open(site.worker.id, 80)))
    expect(await Promise.all(sockets.map((socket, at) => get(socket, `/${at}`)))).toEqual([
      'you asked for /0',
      'you asked for /1',
      'you asked for /2',
    ])
    expect(agent.asked).toEqual([80, 80, 80])
  })

  test('to a port on which nothing listens says so', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const free = (closed.address() as AddressInfo).port
    await new Promise((resolve) => closed.close(resolve))
    await using agent = agentOf({ port: free })
    await reached()
    await expect(tunnels().open(site.worker.id, 80)).rejects.toMatchObject({ code: 'bad_gateway' })
    expect(agent.asked).toEqual([80])
  })

  test('ends with its worker, which is then in no rotation', async () => {
    const changes: string[] = []
    tunnels().onChange((endpointId) => changes.push(endpointId))
    await using agent = agentOf()
    await reached()
    const socket = await tunnels().open(site.worker.id, 80)
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    agent.kill()
    await ended
    await vi.waitUntil(() => !tunnels().has(site.worker.id))
    await expect(tunnels().open(site.worker.id, 80)).rejects.toMatchObject({ code: 'bad_gateway' })
    expect(changes).toEqual([site.ep, site.ep])
  })
})

describe('a request for a tunnel', () => {
  const ask = (headers: Record<string, string>, path = `/v2/${site.ep}/tunnel/${site.worker.id}`) =>
    new Promise<number | 'upgraded'>((resolve, reject) => {
      const sent = request(site.gateway.workerPlaneUrl + path, { headers: { connection: 'Upgrade', ...headers }, agent: false })
      sent.on('upgrade', (_response, socket: Socket) => {
        socket.destroy()
        resolve('upgraded')
      })
      sent.on('response', (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.on('error', reject).end()
    })

  test('needs the token of that worker', async () => {
    const other = await site.gateway.addWorker(site.ep)
    const upgrade = 'runyard-tunnel'
    expect(await ask({ upgrade })).toBe(401)
    expect(await ask({ upgrade, authorization: other.token })).toBe(401)
    expect(await ask({ upgrade, authorization: site.gateway.key })).toBe(401)
    expect(await ask({ upgrade, authorization: site.worker.token }, '/v2/x/elsewhere')).toBe(404)
    expect(await ask({ upgrade, authorization: site.worker.token })).toBe('upgraded')
  })

  test('for another protocol stays a plain request', async () => {
    expect(await ask({ upgrade: 'h2c' }, '/healthz')).toBe(200)
    expect(await ask({ upgrade: 'websocket' }, '/healthz')).toBe(200)
  })
})
