// Bursts on real workers of the process host with simulated GPUs: many endpoints that scale at once, and 10,000 jobs of one endpoint.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { NAP, sourceCall } from '../suites/calls.ts'

const nap = (seconds: number, value: number) => sourceCall('nap', NAP, { seconds, value })
const GPUS = 6
const ENDPOINTS = 50
const JOBS = 10_000
const SUBMITS_AT_ONCE = 32
const PATIENT_MS = 240_000

await suiteThatNeeds(['redis'], 'bursts', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: `NVIDIA GeForce RTX 4090:${GPUS}` })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test(
    '50 endpoints scale at once on 6 GPUs: every job ends, none is interrupted, and there are never more workers than GPUs',
    { timeout: 300_000 },
    async () => {
      // The idle timeouts are an hour, so only yielding frees a GPU.
      const card = { gpuIds: 'ADA_24', workersMax: 2, idleTimeout: 3600 }
      const ids = await Promise.all(
        Array.from({ length: ENDPOINTS }, (_, index) => stack.api.saveEndpoint({ name: `burst-${index}`, ...card })),
      )
      const most = { workers: 0 }
      const watch = setInterval(() => {
        void Promise.all(ids.map((id) => stack.api.workersSeen(id))).then(
          (seen) =>
            (most.workers = Math.max(
              most.workers,
              seen.reduce((sum, count) => sum + count, 0),
            )),
          () => undefined,
        )
      }, 2000)
      const jobs = await Promise.all(
        ids.map(async (id, index) => stack.api.settled(id, await stack.api.run(id, nap(0, index)), PATIENT_MS)),
      ).finally(() => clearInterval(watch))
      expect(jobs.filter(({ status, retries = 0 }) => status !== 'COMPLETED' || retries > 0)).toEqual([])
      expect(most.workers).toBeLessThanOrEqual(GPUS)
      for (const id of ids) await stack.api.deleteEndpoint(id)
    },
  )

  test(
    '10,000 jobs at once: all are accepted, each ends once, and the endpoint stays within its maximum',
    { timeout: 300_000 },
    async () => {
      const id = await stack.api.saveEndpoint({ name: 'ten-thousand', gpuIds: 'ADA_24', workersMax: 3, idleTimeout: 3600 })
      let next = 0
      let most = 0
      const accepted = new Set<string>()
      await Promise.all(
        Array.from({ length: SUBMITS_AT_ONCE }, async () => {
          while (next < JOBS) accepted.add(await stack.api.run(id, nap(0, next++)))
        }),
      )
      expect(accepted.size).toBe(JOBS)
      const untilDone = async () => {
        most = Math.max(most, await stack.api.workersSeen(id))
        const { jobs } = await stack.api.health(id)
        return jobs.completed + jobs.failed >= JOBS
      }
      await waitFor('10,000 jobs to end', untilDone, { timeoutMs: PATIENT_MS, intervalMs: 500 })
      expect((await stack.api.health(id)).jobs).toMatchObject({ completed: JOBS, failed: 0, retried: 0, inQueue: 0, inProgress: 0 })
      expect(most).toBeLessThanOrEqual(3)
    },
  )
})
