// A worker that stands by: what it does before and after it has an endpoint.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startFakeGateway } from './testing/fake-gateway.ts'
import type { FakeGateway } from './testing/fake-gateway.ts'
import { descendantsOf, flashCall, startWorker } from './testing/worker.ts'
import type { TestWorker } from './testing/worker.ts'

let gateway: FakeGateway
let worker: TestWorker

beforeEach(async () => {
  gateway = await startFakeGateway()
})

afterEach(async () => {
  await worker[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const start = (env: Record<string, string> = {}) => startWorker(gateway.url, { standsBy: true, env: { RUNYARD_ENVELOPE: 'flash', ...env } })
const pythonRuns = () => expect.poll(() => descendantsOf(worker.process.pid ?? 0).length, { timeout: 20_000 }).toBeGreaterThan(0)

async function run(id: string, code: string): Promise<unknown> {
  gateway.give({ id, input: flashCall('f', code, { serialization_format: 'json' }) })
  return (await gateway.settled(id)).body.output
}

it('asks for nothing before it has an endpoint, and then serves it with its environment, its token and nothing of its own', async () => {
  worker = start({ LEFT: 'of the host' })
  await pythonRuns()
  expect([gateway.waiting('job-take'), gateway.pings.length]).toEqual([0, 0])
  worker.takeOn({ SECRET: 'of the endpoint', TZ: 'Etc/GMT-3' })
  const code =
    'def f():\n    import os, time\n    return [os.environ["SECRET"], "RUNYARD_STANDBY" in os.environ, "RUNPOD_AI_API_KEY" in os.environ, time.strftime("%z")]\n'
  expect(await run('one', code)).toMatchObject({ json_result: ['of the endpoint', false, false, '+0300'] })
  await run('crash', 'def f():\n    import os\n    os._exit(3)\n')
  expect(await run('two', code)).toMatchObject({ json_result: ['of the endpoint', false, false, '+0300'] })
})

it('takes on no second endpoint', async () => {
  worker = start()
  worker.takeOn({ SECRET: 'first' })
  await run('one', 'def f():\n    return 1\n')
  worker.takeOn({ SECRET: 'second' })
  expect(await run('two', 'def f():\n    import os\n    return os.environ["SECRET"]\n')).toMatchObject({ json_result: 'first' })
})

it.each([
  ['it is told to end', () => worker.process.kill('SIGTERM')],
  ['the program that would give it one has ended', () => worker.takeOn()],
])('ends without an endpoint when %s', async (_, end) => {
  worker = start()
  await pythonRuns()
  end()
  expect(await worker.ended).toBe(0)
})

it('ends when Python does not start, and says why', async () => {
  worker = start({ RUNYARD_PYTHON: '/nonexistent/python' })
  expect(await worker.ended).toBe(1)
  expect(worker.output()).toContain('Python could not be started in this worker')
})
