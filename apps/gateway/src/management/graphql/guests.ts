// What a request without credentials may ask (ADR 68): these root fields by name, and nothing else. Its body is bounded before it is read.
import { Kind, type DocumentNode, type OperationTypeNode } from 'graphql'
import type { FastifyRequest } from 'fastify'
import { RunyardError } from '@runyard/schema'
import type { ApiKey } from '@runyard/store'
import { createAddressLimit } from '../../http/address-limit.ts'
import { queryOf } from '../../http/query.ts'

const FIELDS: Readonly<Record<OperationTypeNode, readonly string[]>> = {
  query: ['flashAuthRequestStatus', 'gpuTypes', 'listings', 'allAiApiPublicConfigs'],
  mutation: ['createFlashAuthRequest'],
  subscription: [],
}
const GUEST_BYTES = 16_384
const CALLS_PER_MINUTE = 300

/** Owns nothing. */
export const GUEST: ApiKey = { id: '', name: 'a guest', ownerId: '', createdAt: 0, scopes: [] }

/** Lets a request in that bears no key at all. @throws RunyardError('too_many_requests') */
export function createGuestEntrance(): (request: FastifyRequest) => boolean {
  const calls = createAddressLimit(CALLS_PER_MINUTE, 'calls without an API key')
  return (request) => {
    const { authorization = '' } = request.headers
    if (authorization !== '' || queryOf(request)['api_key'] !== undefined) return false
    calls.count(request.ip)
    request.bounds = { bytes: GUEST_BYTES, limit: undefined, scopes: new Map() }
    return true
  }
}

/** @throws RunyardError('unauthorized') where the document names anything else. */
export function guestFor({ definitions }: DocumentNode): ApiKey {
  const isOpen = definitions.every(
    (definition) =>
      definition.kind === Kind.OPERATION_DEFINITION &&
      definition.selectionSet.selections.every(
        (selection) => selection.kind === Kind.FIELD && FIELDS[definition.operation].includes(selection.name.value),
      ),
  )
  if (isOpen) return GUEST
  throw noKey()
}

export function noKey(): RunyardError {
  return new RunyardError('unauthorized', 'The request carries no API key; send "Authorization: Bearer <key>".')
}
