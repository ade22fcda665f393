// The effective configuration, the hosts as the operator sees them, and what the operator wants of one for a while (ours, ADR 93).
import { z } from 'zod'
import { CardClaim } from '../card.ts'
import { Cordon, HostRest, HostSight } from '../host.ts'
import { tagged } from './operation.ts'
import { IdParams } from './shared.ts'

const LONGEST_REASON = 500

export const SettingView = z
  .object({
    key: z.string().describe('As in runyard.yaml, with dots.'),
    variable: z.string().describe('The environment variable of it.'),
    help: z.string(),
    value: z.unknown().describe('Without secrets; null: not set.'),
    from: z.string().describe('`default`, the path of the file, or the name of the variable.'),
  })
  .meta({ id: 'Setting' })
export type SettingView = z.infer<typeof SettingView>

export const SettingListView = z
  .object({ settings: z.array(SettingView) })
  .meta({ id: 'SettingList', description: 'Of the gateway that answers, since its start.' })
export type SettingListView = z.infer<typeof SettingListView>

export const CordonBody = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1, 'must say why')
      .max(LONGEST_REASON)
      .regex(/^\P{C}*$/u, 'must have visible characters only'),
    drain: z.boolean().default(false).describe('Its workers leave: idle ones now, busy ones after their jobs.'),
  })
  .meta({ id: 'CordonBody' })
export type CordonBody = z.input<typeof CordonBody>

export const HostView = z
  .object({
    id: z.string(),
    sight: HostSight.nullable().describe('What the leading scaler saw last; null: it sees the host no more.'),
    cordon: Cordon.optional(),
    rest: HostRest.optional(),
    workers: z.array(z.object({ id: z.string(), endpointId: z.string(), gpus: z.int() })),
    cards: z
      .array(z.object({ uuid: z.string(), claim: CardClaim }))
      .describe('Its cards that no worker may have now, or that were in quarantine in the last day.'),
  })
  .meta({ id: 'Host' })
export type HostView = z.infer<typeof HostView>
export const HostListView = z.object({ hosts: z.array(HostView) }).meta({ id: 'HostList' })
export type HostListView = z.infer<typeof HostListView>

const CardParams = z.object({ id: z.string(), gpu: z.string() })
export const ReleasedCardView = z
  .object({ uuid: z.string(), isListed: z.boolean().describe('False: its host does not list it, so that nothing is left to prove.') })
  .meta({ id: 'ReleasedCard' })
export type ReleasedCardView = z.infer<typeof ReleasedCardView>

const OPERATOR = 'Only for keys of the operator’s owner.'

export const SETTING_OPERATIONS = tagged('settings', {
  'GET /runyard/v1/config': {
    id: 'getConfig',
    summary: 'Read the effective configuration, with the origin of each value',
    description: OPERATOR,
    reply: SettingListView,
  },
  'GET /runyard/v1/hosts': {
    id: 'listHosts',
    summary: 'List the hosts with everything that is known of them',
    description: OPERATOR,
    reply: HostListView,
  },
  'DELETE /runyard/v1/hosts/:id': {
    id: 'forgetHost',
    summary: 'Forget a host that was taken out of the configuration, with its cordon',
    description: `${OPERATOR} One that a scaler still has comes back.`,
    params: IdParams,
    other: { 204: null },
  },
  'POST /runyard/v1/hosts/:id/gpus/:gpu/release': {
    id: 'releaseCard',
    summary: 'End the quarantine of a GPU',
    description: `${OPERATOR} It gets workers when nothing is left on it, and goes back if its fault is still reported.`,
    params: CardParams,
    reply: ReleasedCardView,
  },
  'PUT /runyard/v1/hosts/:id/cordon': {
    id: 'cordonHost',
    summary: 'Give a host no new workers, until that is taken back',
    description: OPERATOR,
    params: IdParams,
    body: CordonBody,
    reply: Cordon.meta({ id: 'Cordon' }),
  },
  'DELETE /runyard/v1/hosts/:id/cordon': {
    id: 'uncordonHost',
    summary: 'Give a host workers again',
    description: `${OPERATOR} A cordon in the configuration stays.`,
    params: IdParams,
    other: { 204: null },
  },
})
