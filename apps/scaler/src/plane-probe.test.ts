// Whether workers can report, seen over a real socket.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createContinuity } from './continuity.ts'
import { openPlaneProbe } from './plane-probe.ts'

let gateway: Server
let answer: { ok: true; redis: 'up' | 'away' }
let url: string

beforeEach(async () => {
  answer = { ok: true, redis: 'up' }
  gateway = createServer((_request, response) => response.end(JSON.stringify(answer)))
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
})

afterEach(() => {
  gateway.closeAllConnections()
  gateway.close()
})

test('workers can report while a gateway answers that has Redis, and since then', async () => {
  using probe = openPlaneProbe(['http://127.0.0.1:1', url])
  expect(probe.upSince()).toBeUndefined()
  await vi.waitFor(() => expect(probe.upSince()).toBeGreaterThan(0))
  answer = { ok: true, redis: 'away' }
  await vi.waitFor(() => expect(probe.upSince()).toBeUndefined())
})

test('a gateway that has stopped counts as down', async () => {
  using probe = openPlaneProbe([url])
  await vi.waitFor(() => expect(probe.upSince()).toBeGreaterThan(0))
  gateway.closeAllConnections()
  gateway.close()
  await vi.waitFor(() => expect(probe.upSince()).toBeUndefined())
})

test('a gateway that was not probed for a while counts as up from the next probe', () => {
  const seen = createContinuity(15)
  expect(seen.since(0)).toBeUndefined()
  for (const at of [100, 110, 125]) seen.note(at)
  expect([seen.since(130), seen.since(141)]).toEqual([100, undefined])
  seen.note(200)
  expect(seen.since(201)).toBe(200)
  seen.lose()
  expect(seen.since(202)).toBeUndefined()
})
