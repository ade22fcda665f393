// Every name and type on `/metrics` of a running stack, checked with Prometheus' own tool.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkMetrics } from '../harness/promtool.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, NAP, sourceCall } from '../suites/calls.ts'

await suiteThatNeeds(['redis', 'promtool'], 'the metrics of a stack in use', () => {
  let stack: Stack
  let endpoint: string
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA GeForce RTX 4090:1' })
    endpoint = await stack.api.saveEndpoint({ name: 'measured', gpuIds: 'ADA_24', idleTimeout: 60 })
    // All jobs wait for the start of the only worker, and the later ones also for the first.
    const ids = await Promise.all([
      stack.api.run(endpoint, sourceCall('nap', NAP, { seconds: 1 })),
      stack.api.run(endpoint, sourceCall('echo', ECHO)),
      stack.api.run(endpoint, sourceCall('echo', ECHO)),
    ])
    for (const id of ids) await stack.api.settled(endpoint, id)
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const sample = async (name: string, labels: string) => {
    const { text } = await stack.api.get('/metrics')
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(labels))
    return Number(line?.split(' ').at(-1))
  }

  test('promtool reports no problem', async () => {
    const { text } = await stack.api.get('/metrics')
    expect(text).toContain('nodejs_all_active_handles')
    expect(await checkMetrics(text)).toBe('')
  })

  test('a cold start is measured once per worker, from the first job that waited for it', async () => {
    expect(await sample('runyard_worker_start_seconds_count', 'phase="total"')).toBe(1)
    expect(await sample('runyard_worker_start_seconds_count', 'phase="function"')).toBe(1)
  })

  test('cancelled jobs are counted', async () => {
    const held = await stack.api.run(endpoint, sourceCall('nap', NAP, { seconds: 60 }))
    await waitFor('the job to run', async () => (await stack.api.status(endpoint, held)).status === 'IN_PROGRESS')
    await stack.api.post(`/v2/${endpoint}/cancel/${held}`, {})
    expect(await sample('runyard_jobs_ended_total', 'status="CANCELLED"')).toBe(1)
    expect(await sample('runyard_jobs_ended_total', 'status="COMPLETED"')).toBe(3)
  })
})
