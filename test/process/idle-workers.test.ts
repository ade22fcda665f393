// An idle worker costs Redis its pings and nothing else (ADR 24): Redis itself reports every command, attributed to its client.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingProxy, type CountingProxy } from '../harness/counting-proxy.ts'
import { concerns, isHeartbeat, summarize, traceRedis } from '../harness/redis-trace.ts'
import { startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { waitFor } from '../harness/wait.ts'

/** Workers of our own at each of two endpoints; a third endpoint has one SDK worker. */
const AGENTS = 2
const WORKERS = 2 * AGENTS + 1
const PATIENCE = { timeoutMs: 60_000 }

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'idle workers', () => {
  let stack: Stack | undefined
  let agents: CountingProxy

  beforeAll(async () => {
    agents = await startCountingProxy(() => stack?.planeUrl)
    const settings = { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LOG_LEVEL: 'info', RUNYARD_WORKER_PLANE_URL: agents.url }
    stack = await startStack({ host: 'process', settings, redisOverTcp: true })
  })
  afterAll(async () => {
    await stack?.stop()
    await agents[Symbol.asyncDispose]()
  })

  test('cause one Redis command per ping and none in between, with our agent and the SDK, even when they poll again', async () => {
    if (stack === undefined) throw new Error('the stack did not start')
    const { api, redis } = stack
    const idle = { idleTimeout: 600 }
    const pool = { ...idle, workersMin: AGENTS, workersMax: AGENTS }
    const [one, two, sdk] = await Promise.all([
      api.saveEndpoint({ name: 'one', ...pool }),
      api.saveEndpoint({ name: 'two', ...pool }),
      api.saveEndpoint({ name: 'sdk', ...idle }),
    ])
    await using store = await openTestStore(redis.url)
    await using worker = await startSdkWorker({ stack, store, endpointId: sdk, venv: 'runpod-1.12', kind: 'sync' })
    const count = (route: 'ping' | 'job-take'): number => agents.count(route) + worker.asked.count(route)
    const isReady = async (id: string): Promise<boolean> => (await api.health(id)).workers.ready === AGENTS
    await waitFor('our workers to be ready', async () => (await isReady(one)) && (await isReady(two)), PATIENCE)
    // Their first line names the endpoint.
    const hasLine = async (endpoint: string): Promise<boolean> => {
      const logs = (await store.workers.list(endpoint)).map(({ id }) => store.workerLogs.read(id, 'container', 1))
      return (await Promise.all(logs)).every(({ length }) => length > 0)
    }
    await waitFor('their first line to be kept', async () => (await hasLine(one)) && (await hasLine(two)), PATIENCE)
    await waitFor('the SDK to ping', () => worker.asked.count('ping') > 1, PATIENCE)
    // Their start report arrives a moment later.
    const settled = count('ping') + 2 * WORKERS
    await waitFor('all to have been idle for a while', () => count('ping') > settled, PATIENCE)

    let pings = 0
    const commands = await traceRedis(redis.url, async () => {
      const before = { pings: count('ping'), takes: count('job-take') }
      await waitFor('every poll to end and start again', () => count('job-take') >= before.takes + WORKERS, PATIENCE)
      pings = count('ping') - before.pings
    })

    const ofGateway = commands.filter(({ client }) => client === 'runyard-gateway')
    const forEndpoints = ofGateway.filter((command) => [one, two, sdk].some((id) => concerns(command, id)))
    const others = forEndpoints.filter((command) => !isHeartbeat(command))
    expect(summarize(others)).toEqual([])
    // One per ping, except for pings under way when the trace started or ended.
    expect(pings).toBeGreaterThan(2 * WORKERS)
    expect(Math.abs(forEndpoints.length - pings)).toBeLessThanOrEqual(WORKERS)
    // No other client asks about them: the scaler's reads have its own connection name, and the rest names no endpoint.
    const named = new Set(commands.filter((command) => [one, two, sdk].some((id) => concerns(command, id))).map(({ client }) => client))
    expect([...named].toSorted()).toEqual(['runyard-gateway', 'runyard-scaler'])
    if (process.env['RUNYARD_TEST_TRACE'] !== undefined) console.log([`${pings} pings`, ...summarize(commands)].join('\n'))
  })
})
