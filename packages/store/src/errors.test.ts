import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { openStore } from './open-store.ts'
import { completed, submission, useStores } from './testing/test-store.ts'

const stores = useStores()

test('the arguments of a command are not part of its error', async () => {
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
  for (const text of await Promise.all(failures)) {
    expect(text).toContain('WRONGTYPE')
    expect(text).not.toContain('my secret')
  }
})

test('an invalid URL is reported without its password', async () => {
  const open = openStore({ redisUrl: 'redis://me:my%secret@host:port', leaseMs: 1000, retention: { asyncMs: 1000, syncMs: 1000 } })
  const text = await open.then(() => '', inspect)
  expect(text).toContain('The setting redis.url is no URL')
  expect(text).not.toContain('secret')
})
