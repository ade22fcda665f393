// The effective configuration, and what the operator wants of a host for a while (ours, ADR 93).
import { z } from 'zod'
import { Cordon } from '../host.ts'
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

const OPERATOR = 'Only for keys of the operator’s owner.'

export const SETTING_OPERATIONS = tagged('settings', {
  'GET /runyard/v1/config': {
    id: 'getConfig',
    summary: 'Read the effective configuration, with the origin of each value',
    description: OPERATOR,
    reply: SettingListView,
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
