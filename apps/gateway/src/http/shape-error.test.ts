// The sentence for a request that does not fit its shape.
import { validatorCompiler } from 'fastify-type-provider-zod'
import { OPERATIONS, UpdateEndpointBody } from '@runyard/schema/api'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeShape, type ShapeError, type ShapeFault } from './shape-error.ts'

/** undefined: it fits. */
function refusalOf(shape: z.ZodType, value: unknown, validationContext = 'body'): ShapeError | undefined {
  const result: unknown = validatorCompiler({ schema: shape, method: 'POST', url: '/', httpPart: 'body' })(value)
  const { error } = result as { readonly error?: ShapeFault['validation'] }
  return error === undefined ? undefined : describeShape({ validation: error, validationContext }, { value, shape })
}

const Body = z.strictObject({
  name: z.string().min(2).max(5),
  kind: z.enum(['queue', 'balancer']),
  size: z.int().min(1).max(500).optional(),
  secret: z.string('must be the text of the secret').optional(),
  labels: z.array(z.string()).min(1).max(2).optional(),
  boost: z.union([z.enum(['off', 'on']), z.boolean()]).optional(),
  scaling: z
    .discriminatedUnion('type', [z.strictObject({ type: z.literal('A'), delay: z.number() }), z.strictObject({ type: z.literal('B') })])
    .optional(),
  limits: z.strictObject({ workers: z.int().optional() }).optional(),
})
const FITS = { name: 'box', kind: 'queue' }

describe('the sentence for a request that does not fit', () => {
  it.each([
    ['a missing member', { kind: 'queue' }, '"name" is missing: it must be text.'],
    ['a missing word', { name: 'box' }, '"kind" is missing: it must be one of queue, balancer.'],
    ['a text that is a number', { ...FITS, name: 5 }, '"name" must be text, not a number.'],
    ['a text that is null', { ...FITS, name: null }, '"name" must be text, not null.'],
    ['a text that is empty', { ...FITS, name: '' }, '"name" must have at least 2 characters.'],
    ['a text that is too long', { ...FITS, name: 'abcdefg' }, '"name" must have at most 5 characters, not 7.'],
    ['a word that is not in the list', { ...FITS, kind: 'lb' }, '"kind" must be one of queue, balancer, not "lb".'],
    ['a word with an escape', { ...FITS, kind: '\u001B[2J' }, '"kind" must be one of queue, balancer, not "<U+001B>[2J".'],
    [
      'a long word',
      { ...FITS, kind: 'x'.repeat(300) },
      `"kind" must be one of queue, balancer, not "${'x'.repeat(100)}… (200 characters more)".`,
    ],
    ['a number that is a text', { ...FITS, size: 'ten' }, '"size" must be a number, not "ten".'],
    ['a broken number', { ...FITS, size: 1.5 }, '"size" must be a whole number, not 1.5.'],
    ['a number beyond its bound', { ...FITS, size: 900 }, '"size" must be at most 500, not 900.'],
    ['a secret of another kind, unseen', { ...FITS, secret: 12_345 }, '"secret" must be the text of the secret, not a number.'],
    ['a list that is none', { ...FITS, labels: 'a' }, '"labels" must be a list, not text.'],
    ['an empty list', { ...FITS, labels: [] }, '"labels" must not be empty.'],
    ['a long list', { ...FITS, labels: ['a', 'b', 'c'] }, '"labels" must have at most 2 items, not 3.'],
    ['an item of another kind', { ...FITS, labels: [{}] }, '"labels.0" must be text, not an object.'],
    ['no branch of a choice', { ...FITS, boost: 7 }, '"boost" must be one of off, on, or true or false, not a number.'],
    ['no known type', { ...FITS, scaling: { type: 'C' } }, '"scaling.type" must be one of A, B, not "C".'],
    [
      'another member',
      { ...FITS, nmae: 1 },
      'There is no member "nmae" in the body; it takes name, kind, size, secret, labels, boost, scaling, limits. Did you mean "name"?',
    ],
    ['another member inside', { ...FITS, limits: { x: 1 } }, 'There is no member "x" in "limits"; it takes workers.'],
    [
      'another member of a choice',
      { ...FITS, scaling: { type: 'B', dleay: 1 } },
      'There is no member "dleay" in "scaling"; it takes type, delay. Did you mean "delay"?',
    ],
    ['a list for a body', [], 'The body must be an object, not a list.'],
    ['no body', null, 'The body is missing: it must be an object.'],
  ])('names %s', (_what, body, sentence) => {
    expect(refusalOf(Body, body)?.sentence).toBe(sentence)
  })

  it('names the true bound of a number that is beyond those of JSON', () => {
    const said = (body: object) => refusalOf(UpdateEndpointBody, body)?.sentence
    expect(said({ gpu: { count: 1e30 } })).toBe('"gpu.count" must be at most 64, not 1e+30.')
    expect(said({ workers: { max: 1e30 } })).toBe(
      '"workers.max" must be at most 1000, or what limits.workersPerEndpoint allows, not 1e+30.',
    )
    expect(said({ workers: { max: -1 } })).toBe('"workers.max" must be at least 0, not -1.')
    expect(refusalOf(Body, { ...FITS, limits: { workers: 1e30 } })?.sentence).toBe('"limits.workers" is too large.')
  })

  it('names every wrong member in its list', () => {
    expect(refusalOf(Body, { size: 0, x: 1 })?.issues.map(({ location, message }) => `${location}: ${message}`)).toEqual([
      'body.name: is missing: it must be text',
      'body.kind: is missing: it must be one of queue, balancer',
      'body.size: must be at least 1, not 0',
      'body: has members that are not known: x',
    ])
  })
})

const ODD = [undefined, null, true, 5, -1, 1.5, 1e9, '', 'odd', 'x'.repeat(200_000), [], ['odd', 5, {}], {}, { zzz: 1 }]
const VALIDATORS_WORDS = /\b(?:Invalid|expected|received|Unrecognized|Too (?:big|small)|nonoptional|undefined)\b/u

const bare = (shape: z.ZodType): z.ZodType =>
  shape instanceof z.ZodOptional || shape instanceof z.ZodNullable || shape instanceof z.ZodDefault
    ? bare(shape.unwrap() as z.ZodType)
    : shape

/** Bodies of which one member, at any depth, is wrong. */
function* wrongBodies(shape: z.ZodType): Generator {
  yield* ODD
  const inner = bare(shape)
  if (inner instanceof z.ZodUnion) for (const option of inner.options) yield* wrongBodies(option as z.ZodType)
  if (inner instanceof z.ZodArray) for (const item of wrongBodies(inner.element as z.ZodType)) yield [item]
  if (inner instanceof z.ZodRecord) for (const value of wrongBodies(inner.valueType as z.ZodType)) yield { a: value }
  if (inner instanceof z.ZodObject) yield* wrongMembers(inner.shape)
}

/** Beside the words that choose a branch of a union, so that the fault is one of that branch. */
function* wrongMembers(members: Readonly<Record<string, z.ZodType>>): Generator {
  const literals = Object.entries(members).flatMap(([name, member]) => (member instanceof z.ZodLiteral ? [[name, member.value]] : []))
  for (const [name, member] of Object.entries(members))
    for (const value of wrongBodies(member)) yield { ...Object.fromEntries(literals), [name]: value }
}

describe('no body of a route', () => {
  const withBody = Object.entries(OPERATIONS).flatMap(([key, { body }]) => (body === undefined ? [] : [[key, body] as const]))

  it.each(withBody)('is refused in the words of the validator: %s', (_key, body) => {
    const said = new Set([...wrongBodies(body)].flatMap((wrong) => refusalOf(body, wrong)?.issues.map(({ message }) => message) ?? []))
    expect([...said].filter((message) => VALIDATORS_WORDS.test(message))).toEqual([])
  })

  it.each(withBody.filter(([key]) => key.includes('/runyard/v1/')))('of ours takes a member that it does not know: %s', (_key, body) => {
    expect(refusalOf(body, { zzz: 1 })?.issues.map(({ message }) => message)).toContainEqual(expect.stringMatching(/zzz|\{"key": …\}/u))
  })
})
