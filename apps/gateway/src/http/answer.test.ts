// What waits for the end of a request that has ended already.
import { once } from 'node:events'
import { createLogger } from '@runyard/kit'
import { expect, it } from 'vitest'
import { openSocket } from '../testing/fuzz/raw-http.ts'
import { open } from './access.ts'
import { createApp } from './app.ts'
import { clientGone } from './answer.ts'

it('a client that left during a look-up is known to be gone', async () => {
  const app = createApp({ log: createLogger({ name: 'test', level: 'silent' }), closing: new AbortController().signal, connections: 2 })
  const began = Promise.withResolvers<void>()
  const isGone = Promise.withResolvers<boolean>()
  app.get('/looks-up', { config: { access: open } }, async (_request, reply) => {
    began.resolve()
    await once(reply.raw, 'close')
    isGone.resolve(clientGone(reply).aborted)
    return reply
  })
  const socket = await openSocket(await app.listen({ host: '127.0.0.1', port: 0 }))
  socket.write('GET /looks-up HTTP/1.1\r\nHost: x\r\n\r\n')
  await began.promise
  socket.destroy()
  expect(await isGone.promise).toBe(true)
  await app.close()
})
