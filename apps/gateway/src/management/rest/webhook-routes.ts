// What became of an endpoint's webhooks, and what they are signed with (extensions of ours; client-api §7 leaves both open).
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export interface WebhookRouteDeps {
  readonly model: Pick<ManagementModel, 'get'>
  readonly store: Pick<Store, 'webhooks'>
}

export function registerWebhookRoutes(app: RestApp, { model, store: { webhooks } }: WebhookRouteDeps): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => model.get(ownerId, id) })
  route('GET /v2/serverless/:id/webhooks', async (request) => {
    const { id } = await model.get(keyOf(request).ownerId, request.params.id)
    const [attempts, pending] = await Promise.all([webhooks.attempts(id, request.query.limit), webhooks.pending(id)])
    return { attempts: [...attempts], pending }
  })

  ownRoute('POST /v2/serverless/:id/webhooks/:eventId/redeliver', async (request) => {
    const { id } = await model.get(keyOf(request).ownerId, request.params.id)
    const { eventId } = request.params
    const result = await webhooks.redeliver(id, eventId)
    if (result === 'unknown')
      throw new RunyardError('not_found', `Webhook event "${eventId}" was delivered, has expired, or never existed.`)
    if (result === 'in_delivery') throw new RunyardError('conflict', `Webhook event "${eventId}" is being delivered right now.`)
  })

  route('GET /runyard/v1/webhooks/secrets', async (request) => ({ secrets: [...(await webhooks.secrets(keyOf(request).ownerId))] }))

  route('POST /runyard/v1/webhooks/secrets/rotate', async (request) => ({
    secrets: [...(await webhooks.rotateSecret(keyOf(request).ownerId))],
  }))
}
