// What an operator hears of without Prometheus (ADR 83): something needs a person, and later that it does not any more.
import { z } from 'zod'

export const NOTICE_EVENTS = [
  'host_lost',
  'gpu_quarantined',
  'endpoint_crash_loop',
  'release_failed',
  'store_problem',
  'store_away',
  'certificate_expires',
] as const
export type NoticeEvent = (typeof NOTICE_EVENTS)[number]

export const NotifyConfig = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'an http or https URL such as https://example.com/runyard' }),
  on: z
    .array(z.enum(NOTICE_EVENTS))
    .min(1)
    .default([...NOTICE_EVENTS]),
})
export type NotifyConfig = z.infer<typeof NotifyConfig>

/** Something that needs a person. */
export interface Problem {
  readonly event: NoticeEvent
  /** The name of the host, card, endpoint or file. */
  readonly subject: string
  /** One sentence. */
  readonly message: string
  /** Of an endpoint; absent: it concerns the whole pool. */
  readonly ownerId?: string | undefined
}

/** A problem of which the receivers were notified. */
export const OpenNotice = z.object({
  id: z.string(),
  event: z.enum(NOTICE_EVENTS),
  subject: z.string(),
  message: z.string(),
  ownerId: z.string().optional(),
  /** Epoch ms. */
  since: z.number(),
})
export type OpenNotice = z.infer<typeof OpenNotice>

/** Stands for an endpoint in the outbox; no endpoint can have this id. */
export const NOTICE_OUTBOX = '_notices'
