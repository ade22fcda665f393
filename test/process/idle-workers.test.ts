// An idle worker costs Redis nothing between its pings (design §6): every command is counted by Redis itself.
import { Redis } from 'ioredis'
import { openStore } from '@runyard/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, sourceCall } from '../suites/calls.ts'

/** Pings of each of the two workers that are watched, one a second. */
const PINGS = 10

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'idle workers', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host: 'process', settings: { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LOG_LEVEL: 'info' } })
  })
  afterAll(async () => {
    await stack.scaler.start()
    await stack.stop()
  })

  test('ask nothing of Redis between pings, with our agent and with the SDK', async () => {
    const agents = await stack.api.saveEndpoint({ name: 'agent', idleTimeout: 600 })
    expect(await stack.api.runsync(agents, sourceCall('echo', ECHO))).toMatchObject({ status: 'COMPLETED' })
    // It looks at everything every few seconds, and would clear away the SDK's worker, which is on no host. Killed, it leaves workers running.
    await stack.scaler.kill()
    await using store = await openStore({ redisUrl: stack.redis.url, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 } })
    const endpointId = await stack.api.saveEndpoint({ name: 'sdk', idleTimeout: 600 })
    await using worker = await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.12', kind: 'sync' })
    const pings = (): number => worker.asked.count('ping')
    await waitFor('the worker to be ready', () => pings() > 2)

    const commands = await commandsDuring(stack.redis.url, async () => {
      const enough = pings() + PINGS
      await waitFor('some pings', () => pings() >= enough)
    })
    // A ping renews what it names, and now and then it is written down that the worker was seen: less than one command each.
    if (commands.length > 2 * PINGS) console.log(commands.join('\n'))
    expect(commands.length).toBeLessThanOrEqual(2 * PINGS)
  })
})

/** What clients asked of Redis meanwhile; what scripts do inside is theirs. */
async function commandsDuring(redisUrl: string, work: () => Promise<void>): Promise<readonly string[]> {
  const client = new Redis(redisUrl)
  const monitor = await client.monitor()
  const commands: string[] = []
  monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
    if (source !== 'lua') commands.push(args.slice(0, 3).join(' ').slice(0, 120))
  })
  try {
    await work()
    return commands
  } finally {
    monitor.disconnect()
    client.disconnect()
  }
}
