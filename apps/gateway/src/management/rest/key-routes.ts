// /runyard/v1/keys (ADR 81), and /runyard/v1/session (ADR 89): a browser’s sign-in and sign-out, and one-time codes. A session can be begun with
// a key, too, so a code gives its user no more than its maker has.
import { scopesOf } from '@runyard/core'
import { type ApiKey, RunyardError } from '@runyard/schema'
import { ONE_PAGE, type KeyView } from '@runyard/schema/api'
import type { ListedKey, Store } from '@runyard/store'
import type { KeyModel } from '../key-model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'
import type { Access } from '../../http/access.ts'
import { createAddressLimit } from '../../http/address-limit.ts'

export function registerKeyRoutes(app: RestApp, keys: KeyModel): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => keys.get(ownerId, id) })
  route('GET /runyard/v1/keys', async (request) => {
    const found = await keys.list(keyOf(request).ownerId, request.query.owner)
    return { keys: found.map(keyReply), pagination: ONE_PAGE }
  })

  route('POST /runyard/v1/keys', async (request) => {
    const { expiresAt, limits, ...wanted } = request.body
    const made = await keys.create(keyOf(request), {
      ...wanted,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(limits === undefined ? {} : { limits }),
    })
    return newKeyReply(made)
  })

  route('GET /runyard/v1/keys/current', async (request) => {
    const { ownerId, id } = keyOf(request)
    return keyReply(await keys.get(ownerId, id))
  })

  ownRoute('PATCH /runyard/v1/keys/:id', async (request) =>
    keyReply(await keys.limit(keyOf(request).ownerId, request.params.id, request.body.limits)),
  )

  ownRoute('DELETE /runyard/v1/keys/:id', (request) => keys.revoke(keyOf(request), request.params.id))

  ownRoute('POST /runyard/v1/keys/:id/rotate', async (request) => newKeyReply(await keys.rotate(keyOf(request), request.params.id)))
}

function newKeyReply({ key, plain }: { readonly key: ApiKey; readonly plain: string }) {
  return { ...keyReply(key), key: plain }
}

function keyReply(key: ListedKey): KeyView {
  const { id, name, ownerId, limits = {}, createdAt, expiresAt, lastUsedAt, madeBy = null, ofFile = false } = key
  return {
    id,
    name,
    ownerId,
    scopes: [...scopesOf(key)],
    limits,
    createdAt: toIso(createdAt),
    expiresAt: expiresAt === undefined ? null : toIso(expiresAt),
    lastUsedAt: lastUsedAt === undefined ? null : toIso(lastUsedAt),
    madeBy,
    ofFile,
  }
}

const toIso = (at: number): string => new Date(at).toISOString()

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
  })

  restRoutes(app, { access: ofPage })('DELETE /runyard/v1/session', async (request, reply) => {
    const session = pageCookies.read(request)
    if (session !== undefined) await sessions.end(session)
    pageCookies.write(request, reply, undefined)
  })

  route('POST /runyard/v1/session/codes', async (request) => {
    const { code, expiresAt } = await sessions.createCode(keyOf(request).id)
    return { code, expiresAt: new Date(expiresAt).toISOString() }
  })
}

const NO_KEY = 'This is no API key of this Runyard.'
const NO_CODE = 'This code is unknown, was used, or is older than ten minutes: `runyard open` makes another.'
