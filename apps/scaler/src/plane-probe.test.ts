import { createServer, type AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { openPlaneProbe } from './plane-probe.ts'

test('the worker plane is up while it takes connections, and since then', async () => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  using probe = openPlaneProbe({ host: '0.0.0.0', port })
  expect(probe.upSince()).toBeUndefined()
  await vi.waitFor(() => expect(probe.upSince()).toBeGreaterThan(0))
  await new Promise<void>((resolve) => server.close(() => resolve()))
  await vi.waitFor(() => expect(probe.upSince()).toBeUndefined(), { timeout: 10_000 })
})
