// /runyard/v1/keys (ADR 81): for the page, `runyard keys` and programs.
import { scopesOf } from '@runyard/core'
import type { ApiKey } from '@runyard/schema'
import { ONE_PAGE, type KeyView } from '@runyard/schema/api'
import type { ListedKey } from '@runyard/store'
import type { KeyModel } from '../key-model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerKeyRoutes(app: RestApp, keys: KeyModel): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => keys.get(ownerId, id) })
  route('GET /runyard/v1/keys', async (request) => {
    const found = await keys.list(keyOf(request).ownerId, request.query.owner)
    return { keys: found.map(keyReply), pagination: ONE_PAGE }
  })

  route('POST /runyard/v1/keys', async (request, reply) => {
    const { expiresAt, limits, ...wanted } = request.body
    const made = await keys.create(keyOf(request), {
      ...wanted,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(limits === undefined ? {} : { limits }),
    })
    return reply.code(201).send(newKeyReply(made))
  })

  route('GET /runyard/v1/keys/current', async (request) => {
    const { ownerId, id } = keyOf(request)
    return keyReply(await keys.get(ownerId, id))
  })

  ownRoute('PATCH /runyard/v1/keys/:id', async (request) =>
    keyReply(await keys.limit(keyOf(request).ownerId, request.params.id, request.body.limits)),
  )

  ownRoute('DELETE /runyard/v1/keys/:id', async (request, reply) => {
    await keys.revoke(keyOf(request), request.params.id)
    return reply.code(204).send()
  })

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
