// Requests that were let in and have no answer yet. A key that is revoked meanwhile ends them: a held request is answered 401, a stream whose
// head is out is cut. Each key is asked about once, however many requests are open with it; while Redis is away they stay.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Authenticate, Credentials } from '../authentication.ts'
import { sendError, toWireError } from './errors.ts'

export interface OpenRequests {
  add(credentials: Credentials, reply: FastifyReply): void
}

export function followOpenRequests(scope: FastifyInstance, store: Pick<Store, 'subscribe'>, authenticate: Authenticate): OpenRequests {
  const open = new Map<string, Set<FastifyReply>>()

  async function checkAgain(authorization: string): Promise<void> {
    const refusal = await authenticate({ headers: { authorization } }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!(refusal instanceof RunyardError && refusal.code === 'unauthorized')) return
    for (const reply of open.get(authorization) ?? []) refuse(reply, refusal)
  }

  const subscription = store.subscribe(({ kind }) => {
    if (kind !== 'keys-changed' && kind !== 'resync') return
    for (const authorization of open.keys()) void checkAgain(authorization)
  })
  scope.addHook('onClose', () => subscription[Symbol.asyncDispose]())
  return {
    add({ headers: { authorization = '' } }, reply) {
      const replies = open.get(authorization) ?? new Set()
      open.set(authorization, replies.add(reply))
      reply.raw.once('close', () => {
        replies.delete(reply)
        if (replies.size === 0) open.delete(authorization)
      })
    },
  }
}

function refuse(reply: FastifyReply, refusal: RunyardError): void {
  if (reply.raw.headersSent) reply.raw.destroy()
  else void sendError(reply, toWireError(refusal))
}
