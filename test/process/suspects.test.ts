// One job kills its worker process while other jobs run on the same worker (ADR 34), with real SDK workers that hold several jobs. The test acts
// as the scaler: when a worker's process has ended, it takes back all its jobs and starts another worker.
import type { Store } from '@runyard/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { waitFor } from '../harness/wait.ts'

const PATIENCE = { timeoutMs: 240_000, intervalMs: 200 }
vi.setConfig({ testTimeout: 300_000 })

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'a job that kills a shared worker', () => {
  let stack: Stack
  let store: Store

  beforeAll(async () => {
    stack = await startStack({ host: 'process' })
    await stack.scaler.child().stop()
    store = await openTestStore(stack.redis.url, { retention: { asyncMs: 600_000, syncMs: 600_000 } })
  })
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await stack?.stop()
  })

  test('fails alone, with the evidence; the other jobs of its worker complete', async () => {
    const endpointId = await stack.api.saveEndpoint({ name: 'suspects', workersMax: 1, idleTimeout: 600 })
    const inputs = Array.from({ length: 8 }, (_, job) => (job === 1 ? { sleep: 0.5, kill: true } : { job, sleep: 1 }))
    const ids = await Promise.all(inputs.map((input) => stack.api.run(endpointId, input)))
    const allEnded = async (): Promise<boolean> => {
      const { waiting, inProgress } = await store.jobs.stats(endpointId)
      return waiting + inProgress === 0
    }
    const held: number[] = []
    for (let workers = 0; workers < 8 && !(await allEnded()); workers += 1) {
      await using worker = await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.12', kind: 'async', env: { CONCURRENCY: '5' } })
      let hasExited = false
      void worker.child.exited.then(() => (hasExited = true))
      await waitFor('the worker to die or all to end', async () => hasExited || (await allEnded()), PATIENCE)
      const leases = (await store.jobs.leases(endpointId)).filter(({ workerId }) => workerId === worker.id)
      if (leases.length > 0) held.push(leases.length)
      const evidence = `worker ${worker.id} was lost: the worker’s process ended, and Runyard had not stopped it (exit code 137, ended by SIGKILL)`
      for (const lease of leases) await store.jobs.takeBack(lease, { budget: 2, evidence, withAll: true })
      await store.workers.remove(endpointId, worker.id, undefined)
    }
    const ends = await Promise.all(ids.map((id) => stack.api.status(endpointId, id)))
    expect(ends.map(({ status }) => status)).toEqual(inputs.map((input) => ('kill' in input ? 'FAILED' : 'COMPLETED')))
    expect(ends[1]?.['error']).toMatch(/^job timed out after 2 retries: worker lost 3 times: worker \w+ was lost: .*exit code 137/)
    // Several jobs the first time, then only the one at fault.
    expect(held[0]).toBeGreaterThan(1)
    expect(held.slice(1)).toEqual([1, 1])
  })
})
