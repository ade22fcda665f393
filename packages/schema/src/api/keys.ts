// The API keys of an owner (ours, ADR 81).
import { z } from 'zod'
import { KEY_SCOPES, KeyLimits, OPERATOR_OWNER } from '../api-key.ts'
import { tagged } from './operation.ts'
import { DateTime, IdParams, Instant, Pagination } from './shared.ts'

const LONGEST_NAME = 100
const LONGEST_SECRET = 512
const Scope = z.enum(KEY_SCOPES)
const OPERATOR = `only keys of the owner "${OPERATOR_OWNER}" may name another`
const Owner = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u, 'must have up to 64 letters, digits, ".", "_" and "-"')

export const CreateKeyBody = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1, 'must say what the key is for')
      .max(LONGEST_NAME)
      .regex(/^\P{C}*$/u, 'must have visible characters only'),
    scopes: z.array(Scope).min(1, 'must name at least one scope').max(KEY_SCOPES.length),
    ownerId: Owner.optional().describe(`Whose endpoints and jobs it sees. Default: that of the key of the request; ${OPERATOR}.`),
    expiresAt: Instant.optional().describe('Default: never.'),
    limits: KeyLimits.strict().optional(),
  })
  .meta({ id: 'CreateKeyBody' })
export type CreateKeyBody = z.input<typeof CreateKeyBody>

export const ALL_OWNERS = '*'
export const KeyListQuery = z.object({
  owner: z
    .union([z.literal(ALL_OWNERS), Owner])
    .optional()
    .describe(`${ALL_OWNERS}: of all owners. Default: of the key of the request; ${OPERATOR}.`),
})

export const LimitKeyBody = z
  .strictObject({ limits: KeyLimits.strict() })
  .meta({ id: 'LimitKeyBody', description: 'Those that are not named stay; null: no limit.' })
export type LimitKeyBody = z.input<typeof LimitKeyBody>

const KEY_FIELDS = {
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  scopes: z.array(Scope),
  limits: KeyLimits,
  createdAt: DateTime,
  expiresAt: DateTime.nullable(),
  lastUsedAt: DateTime.nullable().describe('Up to a minute old.'),
  madeBy: z.string().nullable().describe('Id of the key that made it; null: the operator.'),
  ofFile: z.boolean().describe('It stands in a key file of the operator; only the command line can revoke or rotate it.'),
}

export const KeyView = z.object(KEY_FIELDS).meta({ id: 'Key', description: 'An API key, without the key itself.' })
export type KeyView = z.infer<typeof KeyView>

export const NewKeyView = z
  .object({ ...KEY_FIELDS, key: z.string().describe('Shown this once.') })
  .meta({ id: 'NewKey', description: 'An API key with the key itself.' })
export type NewKeyView = z.infer<typeof NewKeyView>

export const KeyListView = z.object({ keys: z.array(KeyView), pagination: Pagination }).meta({ id: 'KeyList' })
export type KeyListView = z.infer<typeof KeyListView>

const secret = z.string().trim().min(1).max(LONGEST_SECRET)

export const SessionBody = z
  .union([z.strictObject({ key: secret }), z.strictObject({ code: secret })], 'must be {"key": …} or {"code": …}')
  .meta({ id: 'SessionBody', description: 'An API key, or a one-time code.' })

export const SessionCodeView = z
  .object({ code: z.string(), expiresAt: DateTime })
  .meta({ id: 'SessionCode', description: 'A code that begins one session; `/#c=CODE` is the address that does it.' })
export type SessionCodeView = z.infer<typeof SessionCodeView>

const FROM_PAGE = 'Only for the page itself: a browser sends `x-runyard: 1` with it, from the same origin.'

export const KEY_OPERATIONS = tagged('keys', {
  'POST /runyard/v1/session': {
    id: 'beginSession',
    summary: 'Sign a browser in: the answer sets a cookie that stands for the key',
    description: `${FROM_PAGE} The session ends with its key, or twelve hours after its last use.`,
    body: SessionBody,
    other: { 204: null },
    open: true,
  },
  'DELETE /runyard/v1/session': {
    id: 'endSession',
    summary: 'Sign a browser out',
    description: FROM_PAGE,
    other: { 204: null },
    open: true,
  },
  'POST /runyard/v1/session/codes': {
    id: 'createSessionCode',
    summary: 'Make a one-time code that signs a browser in with the rights of this key',
    description: 'It is good for ten minutes.',
    replies: { 201: SessionCodeView },
  },
  'GET /runyard/v1/keys': {
    id: 'listKeys',
    summary: 'List the API keys of this owner, oldest first',
    querystring: KeyListQuery,
    reply: KeyListView,
  },
  'POST /runyard/v1/keys': {
    id: 'createKey',
    summary: 'Make an API key',
    body: CreateKeyBody,
    replies: { 201: NewKeyView },
  },
  'GET /runyard/v1/keys/current': { id: 'getCurrentKey', summary: 'Read what the key of this request is', reply: KeyView },
  'PATCH /runyard/v1/keys/:id': {
    id: 'limitKey',
    summary: 'Set how many workers and queued jobs a key may have, from now on',
    params: IdParams,
    body: LimitKeyBody,
    reply: KeyView,
  },
  'DELETE /runyard/v1/keys/:id': {
    id: 'revokeKey',
    summary: 'End a key at once and for good',
    description: 'Not the key of the request itself.',
    params: IdParams,
    other: { 204: null },
  },
  'POST /runyard/v1/keys/:id/rotate': {
    id: 'rotateKey',
    summary: 'Replace a key under the same id; the old one ends at once',
    description: 'Not the key of the request itself.',
    params: IdParams,
    reply: NewKeyView,
  },
})
