// What became of an endpoint's webhooks, and what they are signed with (ours; client-api §7 leaves both open).
import { z } from 'zod'
import { WebhookAttempt } from '../webhook.ts'
import { IdParams, rowLimit } from './shared.ts'

export const AttemptQuery = z.object({ limit: rowLimit({ most: 1000, usual: 100 }) })
export const WebhookEventParams = IdParams.extend({ eventId: z.string() })

export const WebhookLogView = z
  .object({
    attempts: z.array(WebhookAttempt).describe('Newest first.'),
    pending: z
      .object({
        count: z.int(),
        oldestAt: z.number().optional().describe('When the job of the oldest one ended, epoch ms.'),
        bytes: z.int().describe('What they weigh in Redis, together with those that were given up.'),
      })
      .describe('Events that are still to be delivered.'),
  })
  .meta({ id: 'WebhookLog' })
export type WebhookLogView = z.infer<typeof WebhookLogView>

export const WebhookSecretsView = z
  .object({ secrets: z.array(z.string()) })
  .meta({ id: 'WebhookSecrets', description: 'Newest first. After a rotation there are two, and a webhook has a signature by each.' })
export type WebhookSecretsView = z.infer<typeof WebhookSecretsView>
