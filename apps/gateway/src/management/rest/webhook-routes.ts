// What became of an endpoint's webhooks, and what they are signed with (extensions of ours; client-api §7 leaves both open).
import { RunyardError, WebhookAttempt } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { z } from 'zod'
import type { ManagementModel } from '../model.ts'
import { IdParams, keyOf } from './conventions.ts'
import type { RestApp } from './conventions.ts'

const MAX_ATTEMPTS = 1000
const AttemptQuery = z.object({ limit: z.coerce.number().int().min(1).max(MAX_ATTEMPTS).default(100) })
const EventParams = IdParams.extend({ eventId: z.string() })

const DeliveryLogShape = z.object({
  /** Newest first. */
  attempts: z.array(WebhookAttempt),
  /** Events that are still to be delivered, when the job of the oldest ended, epoch ms, and what they weigh with those that were given up. */
  pending: z.object({ count: z.int(), oldestAt: z.number().optional(), bytes: z.int() }),
})
/** Newest first; after a rotation there are two, and webhooks bear a signature by each. */
const SecretsShape = z.object({ secrets: z.array(z.string()) })

export interface WebhookRouteDeps {
  readonly model: Pick<ManagementModel, 'get'>
  readonly store: Pick<Store, 'webhooks'>
}

export function registerWebhookRoutes(app: RestApp, { model, store: { webhooks } }: WebhookRouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v2/serverless/:id/webhooks',
    schema: { params: IdParams, querystring: AttemptQuery, response: { 200: DeliveryLogShape } },
    handler: async (request) => {
      const { id } = await model.get(keyOf(request).ownerId, request.params.id)
      const [attempts, pending] = await Promise.all([webhooks.attempts(id, request.query.limit), webhooks.pending(id)])
      return { attempts: [...attempts], pending }
    },
  })

  app.route({
    method: 'POST',
    url: '/v2/serverless/:id/webhooks/:eventId/redeliver',
    config: { find: (ownerId, id) => model.get(ownerId, id) },
    schema: { params: EventParams },
    handler: async (request, reply) => {
      const { id } = await model.get(keyOf(request).ownerId, request.params.id)
      const { eventId } = request.params
      const result = await webhooks.redeliver(id, eventId)
      if (result === 'unknown')
        throw new RunyardError('not_found', `Webhook event "${eventId}" was delivered, has expired, or never existed.`)
      if (result === 'in_delivery') throw new RunyardError('conflict', `Webhook event "${eventId}" is being delivered right now.`)
      return reply.code(204).send()
    },
  })

  app.route({
    method: 'GET',
    url: '/runyard/v1/webhooks/secrets',
    schema: { response: { 200: SecretsShape } },
    handler: async (request) => ({ secrets: [...(await webhooks.secrets(keyOf(request).ownerId))] }),
  })

  app.route({
    method: 'POST',
    url: '/runyard/v1/webhooks/secrets/rotate',
    schema: { response: { 200: SecretsShape } },
    handler: async (request) => ({ secrets: [...(await webhooks.rotateSecret(keyOf(request).ownerId))] }),
  })
}
