// Parameters of our own routes, and bodies of those that take none. A misspelt one would be ignored, and the answer would be that to another question,
// or `dryRun` would not be one: it is refused. The ends of a range have two names, and each route takes both.
import { closestWord } from '@runyard/kit'
import { quoted, RunyardError } from '@runyard/schema'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { queryOf } from '../../http/query.ts'

const TWINS: Readonly<Record<string, string>> = { since: 'from', from: 'since', until: 'to', to: 'until' }
const LONGEST_TYPO = 3

export function refuseUnknownParameters(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/runyard/v1/')) return
    const { querystring, body } = (route.schema ?? {}) as { readonly querystring?: unknown; readonly body?: unknown }
    const known = querystring instanceof z.ZodObject ? Object.keys(querystring.shape) : []
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      async (request: FastifyRequest) => {
        request.query = withKnownNames(queryOf(request), known)
        if (body === undefined) refuseMembers(request.body)
      },
    ]
  })
}

/** @throws RunyardError('unprocessable') */
function refuseMembers(body: unknown): void {
  const [name] = typeof body === 'object' && body !== null ? Object.keys(body) : []
  if (name !== undefined) throw new RunyardError('unprocessable', `There is no member ${quoted(name)}: this route takes no body.`)
}

/** @throws RunyardError('bad_request') */
function withKnownNames(query: Readonly<Record<string, unknown>>, known: readonly string[]): Readonly<Record<string, unknown>> {
  const named = Object.entries(query).map(([name, value]) => [known.includes(name) ? name : knownTwin(name, known), value] as const)
  const names = named.map(([name]) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new RunyardError('bad_request', `"${twice}" and "${TWINS[twice]}" are the same: give one of them.`)
  return Object.fromEntries(named)
}

/** @throws RunyardError('bad_request') */
function knownTwin(name: string, known: readonly string[]): string {
  const twin = TWINS[name]
  if (twin !== undefined && known.includes(twin)) return twin
  if (known.length === 0) throw new RunyardError('bad_request', `There is no parameter ${quoted(name)}: this route takes none.`)
  const all = known.flatMap((one) => (TWINS[one] === undefined ? [one] : [`${one} (or ${TWINS[one]})`]))
  const near = closestWord(name, [...known, ...known.flatMap((one) => TWINS[one] ?? [])], LONGEST_TYPO)
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  throw new RunyardError('bad_request', `There is no parameter ${quoted(name)}; this route takes ${all.join(', ')}.${hint}`)
}
