// Who asks: who saves an endpoint, as far as the request says, and how that client hears what its save did to an endpoint that was there; and who is the
// operator.
import { type Caller } from '@runyard/core'
import { OPERATOR_OWNER, RunyardError } from '@runyard/schema'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { apiKeyOf } from '../http/authenticate.ts'

const LONGEST_AGENT = 120
const NOTICE_HEADER = 'x-runyard-notice'
const LONGEST_NOTICE = 1000

export function agentOf(request: FastifyRequest): string {
  return (request.headers['user-agent'] ?? 'an unnamed client').replaceAll(/[^\x20-\x7E]/gu, '?').slice(0, LONGEST_AGENT)
}

export function callerOf(request: FastifyRequest): Caller {
  const { id: keyId, name } = apiKeyOf(request)
  return { client: `${agentOf(request)} with the key "${name}"`, keyId, address: request.ip }
}

/** Headers hold ASCII only; a client that does not know this one ignores it. */
export function giveNotice(reply: FastifyReply, notice: string | undefined): void {
  if (notice === undefined) return
  const text = notice
    .replaceAll('→', '->')
    .replaceAll(/[^\x20-\x7E]/gu, '?')
    .slice(0, LONGEST_NOTICE)
  void reply.header(NOTICE_HEADER, text)
}

/** What concerns the whole installation. `what` completes "may …". @throws RunyardError('forbidden') */
export function onlyOperator(ownerId: string, what: string): void {
  if (ownerId !== OPERATOR_OWNER) throw new RunyardError('forbidden', `forbidden: only keys of the owner "${OPERATOR_OWNER}" may ${what}`)
}
