import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { findFreePort } from './free-port.ts'

it('returns no port twice, even to concurrent calls, and none that is in use', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => findFreePort()))
  expect(new Set(ports).size).toBe(50)
  const next = Math.max(...ports) + 1
  await using taken = createServer().listen(next, '127.0.0.1')
  await once(taken, 'listening')
  expect(await findFreePort()).not.toBe(next)
})
