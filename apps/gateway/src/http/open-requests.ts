// Requests that were let in and have no answer yet. A key that is revoked meanwhile ends them: a held request is answered 401, and a stream that has
// begun is cut; so does a session that ends. Each is verified once, however many requests are open with it; while Redis is away the requests stay.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Authenticate, Credentials } from './authenticate.ts'
import { sendError, toWireError } from './errors.ts'

interface Open {
  readonly authorization: string
  readonly session: string | null
  readonly reply: FastifyReply
  /** Its place in the list. */
  at: number
}

export function followOpenRequests(scope: FastifyInstance, store: Pick<Store, 'subscribe'>, authenticate: Authenticate) {
  // Of a Map by response, in which entries come and go, V8 kept 1.5 KB of each request until its next full collection (measured).
  const open: Open[] = []

  async function checkAgain({ authorization, session }: Open): Promise<void> {
    const refusal = await authenticate({ headers: { authorization }, session }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!(refusal instanceof RunyardError && refusal.code === 'unauthorized')) return
    for (const one of open) if (one.authorization === authorization && one.session === session) refuse(one.reply, refusal)
  }

  const subscription = store.subscribe(({ kind }) => {
    if (kind !== 'keys-changed' && kind !== 'resync') return
    const different = new Map(open.map((request) => [`${request.session ?? ''} ${request.authorization}`, request]))
    for (const request of different.values()) void checkAgain(request)
  })
  scope.addHook('onClose', () => subscription[Symbol.asyncDispose]())
  return {
    add({ headers: { authorization = '' }, session = null }: Credentials, reply: FastifyReply) {
      // Its client may have gone while the key was verified.
      if (reply.raw.closed) return
      const request = { authorization, session, reply, at: open.length }
      open.push(request)
      reply.raw.on('close', () => remove(open, request))
    },
  }
}

/** The last one takes its place. */
function remove(open: Open[], { at }: Open): void {
  const last = open.pop()
  if (last === undefined || last.at === at) return
  open[at] = last
  last.at = at
}

function refuse(reply: FastifyReply, refusal: RunyardError): void {
  if (reply.raw.headersSent) reply.raw.destroy()
  else void sendError(reply, toWireError(refusal))
}
