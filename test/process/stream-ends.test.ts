// A stream that fails raises in the program that reads it, with SDK 2.0 and real workers, whatever ended it, and after all its values.
// apps/gateway/src/jobs/stream-ends.test.ts shows the gateway's part, for every reader.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runPython } from '../harness/python.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { sourceCall } from '../suites/calls.ts'

/** Yields numbers until it is stopped or reaches a value that it cannot serialize. */
const NUMBERS = `
def numbers(odd=None):
    import time
    for number in range(100_000):
        if number == 3 and odd == "raise":
            raise ValueError("the cheese is gone")
        yield object() if number == 3 and odd == "type" else number
        time.sleep(0.2)
`
const PATIENCE = { timeoutMs: 200_000, intervalMs: 100 }

await suiteThatNeeds(['redis', 'venv:runpod-2.0'], 'a failing stream', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host: 'process', settings: { RUNYARD_LEASE_BUDGET: '1', RUNYARD_LEASE_PING_INTERVAL_S: '1' } })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  interface Streaming {
    readonly endpoint: string
    readonly job: string
    readonly hasBegun: () => Promise<unknown>
  }

  async function start(name: string, { odd, policy }: { odd?: string; policy?: Record<string, number> } = {}): Promise<Streaming> {
    const endpoint = await stack.api.saveEndpoint({ name, workersMax: 1 })
    const job = await stack.api.run(endpoint, sourceCall('numbers', NUMBERS, { odd }), policy === undefined ? {} : { policy })
    const gate = join(stack.dataDir, `gate-${job}`)
    return { endpoint, job, hasBegun: () => waitFor(`${name} to stream`, () => existsSync(gate), PATIENCE) }
  }

  /** Sends SIGKILL to each worker that takes the job, until the budget is spent. */
  async function killWorkers({ endpoint, job }: Streaming): Promise<void> {
    const killed = new Set<unknown>()
    const isFailed = async (): Promise<boolean> => {
      const { status, workerId } = await stack.api.status(endpoint, job)
      if (status === 'IN_PROGRESS' && typeof workerId === 'string' && !killed.has(workerId)) {
        process.kill(await findWorkerPid('process', workerId), 'SIGKILL')
        killed.add(workerId)
      }
      return status === 'FAILED'
    }
    await waitFor('the budget to be spent', isFailed, PATIENCE)
  }

  test('raises with its cause in the program that reads it', async () => {
    const raises = await start('raises', { odd: 'raise' })
    const mistyped = await start('mistyped', { odd: 'type' })
    const overdue = await start('overdue', { policy: { executionTimeout: 8000 } })
    const cancelled = await start('cancelled')
    const lost = await start('lost')
    const deleted = await start('deleted')
    const all = [raises, mistyped, overdue, cancelled, lost, deleted]
    const names = all.map(({ endpoint, job }) => `${endpoint}:${job}`)
    const reading = runPython({
      venv: 'runpod-2.0',
      program: 'stream_ends.py',
      args: [join(stack.dataDir, 'gate'), ...names],
      env: stack.env,
    })
    await Promise.all([
      cancelled.hasBegun().then(() => stack.api.post(`/v2/${cancelled.endpoint}/cancel/${cancelled.job}`, {})),
      deleted.hasBegun().then(() => stack.api.deleteEndpoint(deleted.endpoint)),
      lost.hasBegun().then(() => killWorkers(lost)),
    ])
    const { found } = await reading
    const ended = ({ job }: Streaming): unknown => found[job]
    const raised = (text: string) => ({
      values: expect.any(Number) as number,
      type: expect.any(String) as string,
      text: expect.stringMatching(text) as string,
    })
    expect(ended(raises)).toEqual({ ...raised('the cheese is gone'), values: 3 })
    expect(ended(mistyped)).toEqual({ ...raised('object'), values: 3 })
    expect(ended(overdue)).toEqual(raised('executionTimeout exceeded'))
    expect(ended(cancelled)).toEqual(raised('cancelled'))
    expect(ended(lost)).toEqual(raised('exit code 137'))
    expect(ended(deleted)).toEqual(raised('cancelled|not found|not deployed|deleted|404'))
    for (const streaming of all) expect(ended(streaming)).not.toMatchObject({ values: 0 })
  })
})
