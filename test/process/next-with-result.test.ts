// Our agent and a real gateway: a queue is drained without polls in between, and a gateway that is killed while it responds to a result with
// the next job loses neither (ADR 28).
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingProxy, type CountingProxy } from '../harness/counting-proxy.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { ECHO, NAP, sourceCall, valueOf } from '../suites/calls.ts'

/** Runs until the file exists. */
const HOLD = `
def hold(path):
    import os, time
    while not os.path.exists(path):
        time.sleep(0.02)
    return {"value": "held", "worker": os.environ.get("RUNPOD_POD_ID"), "begun": 0}
`

await suiteThatNeeds(['redis'], 'the next job with a result', () => {
  let stack: Stack
  let proxy: CountingProxy

  beforeAll(async () => {
    proxy = await startCountingProxy(() => stack?.planeUrl)
    const lease = { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LEASE_DURATION_S: '5' }
    stack = await startStack({ host: 'process', settings: { ...lease, RUNYARD_WORKER_PLANE_URL: proxy.url } })
  })
  afterAll(async () => {
    await stack?.stop()
    await proxy?.[Symbol.asyncDispose]()
  })

  /** An endpoint whose only worker runs a job until `go`, while others wait. */
  async function startQueue(name: string, values: readonly string[]) {
    const { api, dataDir } = stack
    const endpointId = await api.saveEndpoint({ name, workersMax: 1, idleTimeout: 600 })
    await api.runsync(endpointId, sourceCall('echo', ECHO))
    const path = join(dataDir, name)
    const ids = [await api.run(endpointId, sourceCall('hold', HOLD, { path }))]
    for (const value of values) ids.push(await api.run(endpointId, sourceCall('nap', NAP, { seconds: 0, value })))
    const results = async () => {
      const jobs = await Promise.all(ids.map((id) => api.settled(endpointId, id, 90_000)))
      return jobs.map(({ status, retries, output }): Record<string, unknown> => ({ status, retries, ...valueOf(output) }))
    }
    return { go: () => writeFile(path, ''), results }
  }

  test('drains a queue in order without polls in between', async () => {
    const { go, results } = await startQueue('queue', ['a', 'b', 'c', 'd', 'e'])
    const polls = proxy.count('job-take')
    await go()
    const all = await results()
    expect(all.map(({ value }) => value)).toEqual(['held', 'a', 'b', 'c', 'd', 'e'])
    const begun = all.map((result) => Number(result['begun']))
    expect(begun).toEqual(begun.toSorted((left, right) => left - right))
    // The first job's own poll may have been under way, and one follows the last result.
    expect(proxy.count('job-take') - polls).toBeLessThanOrEqual(2)
  })

  test('loses nothing and repeats no result when the gateway is killed during the response', async () => {
    const { go, results } = await startQueue('killed', ['lost', 'last'])
    const killed = Promise.withResolvers<void>()
    proxy.loseAnswer('job-done', async () => {
      await stack.gateway.kill()
      killed.resolve()
    })
    await go()
    await killed.promise
    await stack.gateway.start()
    const all = await results()
    expect(all).toMatchObject([
      { status: 'COMPLETED', value: 'held', retries: undefined },
      { status: 'COMPLETED', value: 'lost', retries: 1 },
      { status: 'COMPLETED', value: 'last', retries: undefined },
    ])
    // The worker that lost the job never gets it again (ADR 23).
    expect(all[1]?.['worker']).not.toBe(all[0]?.['worker'])
  })
})
