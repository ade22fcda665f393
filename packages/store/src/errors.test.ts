import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { openStore } from './open-store.ts'
import { completed, submission, useStores } from './testing/test-store.ts'

const stores = useStores()

test('what a command carried is not told with its failure', async () => {
  const { jobs, endpoints, resources } = await stores.open()
  const raw = stores.raw()
  for (const key of ['{ep}:wait', '{ep}:active', '{@}:registries', '{@}:endpoints']) await raw.set(`${stores.prefix()}:${key}`, 'odd')
  const failures = [
    jobs.submit('ep', submission('job', { input: 'my secret' })),
    jobs.settle({ endpointId: 'ep', jobId: 'job', workerId: 'w1', outcome: completed('my secret') }),
    jobs.appendChunk({ endpointId: 'ep', jobId: 'job', workerId: 'w1', chunk: 'my secret' }),
    endpoints.get('my secret'),
    resources.registries.get('owner', 'my secret'),
  ].map(async (call) => call.then(() => undefined, inspect))
  for (const told of await Promise.all(failures)) {
    expect(told).toContain('WRONGTYPE')
    expect(told).not.toContain('my secret')
  }
})

test('a URL that is none is told without its password', async () => {
  const open = openStore({ redisUrl: 'redis://me:my%secret@host:port', leaseMs: 1000, retention: { asyncMs: 1000, syncMs: 1000 } })
  const told = await open.then(() => '', inspect)
  expect(told).toContain('The setting redis.url is no URL')
  expect(told).not.toContain('secret')
})
