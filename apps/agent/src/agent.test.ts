// Drives the real agent process and real Python against a small real gateway: calls that succeed, and what they may contain.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeGateway } from './testing/fake-gateway.ts'
import type { FakeGateway } from './testing/fake-gateway.ts'
import { flashCall, pickled, startWorker, unpickled } from './testing/worker.ts'
import type { TestWorker } from './testing/worker.ts'

let gateway: FakeGateway
let worker: TestWorker
let nextId = 0

beforeEach(async () => {
  gateway = await startFakeGateway()
  worker = startWorker(gateway.url, { env: { RUNYARD_ENVELOPE: 'flash' } })
})

afterEach(async () => {
  await worker[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

async function run(input: unknown) {
  nextId += 1
  gateway.give({ id: `job-${nextId}`, input })
  return gateway.settled(`job-${nextId}`)
}

describe('a function call', () => {
  it('returns its value, what it printed, and when it was entered and left', async () => {
    const code = 'def add(a, b=0):\n    print("adding")\n    return a + b\n'
    const done = await run(flashCall('add', code, { args: [pickled('40')], kwargs: { b: pickled('2') } }))
    expect(done.body.output.success).toBe(true)
    expect(unpickled(done.body.output.result)).toBe('42')
    expect(done.body.output.stdout).toBe('adding\n')
    expect(done.body.error).toBeUndefined()
    expect(done.isStream).toBe('false')
    expect(done.timings?.enteredAt).toBeLessThanOrEqual(done.timings?.returnedAt ?? 0)
    expect(done.headers.authorization).toBe('worker-token')
    expect(done.headers['user-agent']).toMatch(/^Runyard-Agent\/\d/)
  })
})
