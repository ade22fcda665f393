// /runyard/v1/session (ADR 89): a browser's sign-in and sign-out, and one-time codes. A session can be begun with a key, too, so a code
// gives its user no more than its maker has.
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Access } from '../../http/access.ts'
import { createAddressLimit } from '../../http/address-limit.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

const WRONG_PER_MINUTE = 20

export function registerSessionRoutes(app: RestApp, { sessions }: Pick<Store, 'sessions'>): void {
  const route = restRoutes(app)
  const { pageCookies } = app
  // A listener that browsers do not sign in at.
  if (pageCookies === undefined) return
  const tries = createAddressLimit(WRONG_PER_MINUTE, 'wrong keys and codes')
  const ofPage: Access = async (request) => pageCookies.check(request)

  const begin = restRoutes(app, {
    access: async (request, reply) => {
      await ofPage(request, reply)
      tries.count(request.ip)
    },
  })
  begin('POST /runyard/v1/session', async (request, reply) => {
    const { body } = request
    const session = 'key' in body ? await sessions.beginByKey(body.key) : await sessions.beginByCode(body.code)
    if (session === undefined) throw new RunyardError('unauthorized', 'key' in body ? NO_KEY : NO_CODE)
    tries.takeBack(request.ip)
    pageCookies.write(request, reply, session)
    return reply.code(204).send()
  })

  restRoutes(app, { access: ofPage })('DELETE /runyard/v1/session', async (request, reply) => {
    const session = pageCookies.read(request)
    if (session !== undefined) await sessions.end(session)
    pageCookies.write(request, reply, undefined)
    return reply.code(204).send()
  })

  route('POST /runyard/v1/session/codes', async (request, reply) => {
    const { code, expiresAt } = await sessions.createCode(keyOf(request).id)
    return reply.code(201).send({ code, expiresAt: new Date(expiresAt).toISOString() })
  })
}

const NO_KEY = 'This is no API key of this Runyard.'
const NO_CODE = 'This code is unknown, was used, or is older than ten minutes: `runyard open` makes another.'
