import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { Config } from '@runyard/schema'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimPlane } from './worker-plane.ts'

let holder: Server
let taken: number
const said: string[] = []
beforeEach(async () => {
  holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  taken = (holder.address() as AddressInfo).port
  said.length = 0
})
afterEach(() => {
  holder.close()
})

function claim(portOrigin: string) {
  const origins = { 'workerPlane.host': 'default', 'workerPlane.port': portOrigin }
  const config = Config.parse({ workerPlane: { port: taken } })
  return claimPlane({ config, origins }, { planeHost: '127.0.0.1', say: (line) => said.push(line) })
}

it('the worker plane leaves a default port that is taken, and says which one firewall rules must name', async () => {
  const { host, port } = await claim('default')
  expect(host).toBe('127.0.0.1')
  expect(port).not.toBe(taken)
  expect(said).toEqual([`workers reach port ${port} instead of ${taken}, since that is taken; firewall rules must name ${port}`])
})

it('a port of the worker plane that was set and is taken is refused in one sentence', async () => {
  await expect(claim('runyard.yaml')).rejects.toThrow(
    `Port ${taken} on 127.0.0.1 is taken by another program; set workerPlane.port to another.`,
  )
  expect(said).toEqual([])
})
