// One mapping from failures to statuses and sentences, and the dialects in which they are sent.
import { RunyardError } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { DIALECTS, toWireError } from './errors.ts'

describe('a failure', () => {
  it.each([
    ['of ours has its own status and sentence', new RunyardError('not_found', 'no such job'), [404, 'no such job', undefined]],
    ['while the store is away asks for a retry', new RunyardError('store_unavailable', 'away'), [503, 'away', 1]],
    ['keeps the pause that it names', new RunyardError('too_many_requests', 'slow down', { retryAfterS: 7 }), [429, 'slow down', 7]],
    ['of Fastify has its sentence', Object.assign(new Error('odd'), { statusCode: 415 }), [415, 'odd', undefined]],
    [
      'of a path that is no URL is said in plain words',
      Object.assign(new Error("'/%zz' is not a valid url component"), { statusCode: 400, code: 'FST_ERR_BAD_URL' }),
      [400, 'the path has a "%" that is not followed by two hexadecimal digits of a character in UTF-8', undefined],
    ],
    ['of GraphQL is the client’s fault', Object.assign(new Error('syntax'), { name: 'GraphQLError' }), [400, 'syntax', undefined]],
    ['of unknown cause shows no details', new Error('secret'), [500, 'internal error; the log of the gateway has the details', undefined]],
    [
      'of unknown cause with a status of 500 shows none either',
      Object.assign(new Error('secret'), { statusCode: 502 }),
      [500, 'internal error; the log of the gateway has the details', undefined],
    ],
  ])('%s', (_, error, expected) => {
    const { httpStatus, sentence, retryAfterS } = toWireError(error)
    expect([httpStatus, sentence, retryAfterS]).toEqual(expected)
  })
})

describe('a dialect', () => {
  const wire = toWireError(new RunyardError('unprocessable', 'wrong'))

  it('has its own members', () => {
    expect(DIALECTS.plain.bodyOf(wire)).toEqual({ error: 'wrong', message: 'wrong' })
    expect(DIALECTS.problem.bodyOf(wire, 422)).toMatchObject({ title: 'Unprocessable Entity', status: 422, detail: 'wrong' })
    expect(DIALECTS.restV1.bodyOf(wire, 400)).toEqual({ error: 'wrong', message: 'wrong', status: 400 })
    expect(DIALECTS.graphql.bodyOf(wire)).toEqual({ errors: [{ message: 'wrong' }] })
  })

  it('has its own statuses where its clients know no other', () => {
    expect([400, 422, 503].map(DIALECTS.restV1.statusOf)).toEqual([400, 400, 503])
    expect([400, 401, 404, 500, 503].map(DIALECTS.graphql.statusOf)).toEqual([200, 401, 200, 200, 503])
  })
})
