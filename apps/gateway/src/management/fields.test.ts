// Each dialect's tables of fields: what is read is written again, for every row and any value.
import type { Template } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CreateTemplateBody, V1CreateTemplateBody } from '@runyard/schema/api'
import * as graphql from './graphql/template-change.ts'
import * as graphqlEndpoint from './graphql/endpoint-change.ts'
import * as v1 from './rest-v1/template-shapes.ts'
import * as v1Endpoint from './rest-v1/endpoint-change.ts'
import * as v2 from './rest/template-shapes.ts'
import * as v2Endpoint from './rest/endpoint-change.ts'

const word = fc.stringMatching(/^[a-z]{1,8}$/u)
const container: fc.Arbitrary<Template['container']> = fc.record({
  image: word,
  entrypoint: fc.constant([]),
  args: fc.array(word, { maxLength: 3 }).map((words) => words.join(' ')),
  env: fc.dictionary(word, word, { noNullPrototype: true }),
  diskGb: fc.option(fc.integer({ min: 1, max: 100 })),
  ports: fc.array(word.map((name) => `${name}/http`)),
  registryId: fc.option(word),
})
const notes: fc.Arbitrary<Template['notes']> = fc.record({
  isServerless: fc.boolean(),
  isPublic: fc.boolean(),
  category: fc.constantFrom('NVIDIA', 'AMD', 'CPU'),
  readme: word,
  volumeGb: fc.constantFrom(0, 10, 20),
  volumeMountPath: word,
  startSsh: fc.boolean(),
  startJupyter: fc.boolean(),
  allowedCudaVersions: fc.array(word),
})
const settings = fc.record({
  workersMin: fc.nat(5),
  workersMax: fc.nat(9),
  idleTimeoutMs: fc.integer({ min: 1, max: 3600 }).map((s) => s * 1000),
  scaling: fc.constantFrom({ type: 'QUEUE_DELAY' as const, queueDelay: 4 }),
  executionTimeoutMs: fc.nat(10_000),
})

describe.each([
  ['REST v2', v2.CONTAINER, v2.NOTES, [v2Endpoint.WORKERS, v2Endpoint.SETTINGS]],
  ['REST v1', v1.CONTAINER, v1.NOTES, [v1Endpoint.SETTINGS]],
  ['GraphQL', graphql.CONTAINER, graphql.NOTES, [graphqlEndpoint.SETTINGS]],
])('the fields of %s', (_dialect, containerFields, notesFields, settingsFields) => {
  it.each([
    ['a container', containerFields, container],
    ['notes', notesFields, notes],
    ...settingsFields.map((fields) => ['settings', fields, settings] as const),
  ] as const)('of %s: what is written is read back', (_what, fields, values) => {
    expect(fields.names.length).toBeGreaterThan(1)
    fc.assert(
      fc.property(values as fc.Arbitrary<never>, (model) => {
        const wire: object = fields.write(model)
        expect(Object.keys(wire).toSorted()).toEqual(fields.names.toSorted())
        const back: object = fields.read(wire)
        // A field that is left out stands for what the model has none of.
        const shown = Object.entries(back)
        expect(shown.map(([member]) => [member, (model as Record<string, unknown>)[member]])).toEqual(shown)
      }),
    )
  })
})

it('null clears in REST, where bodies have it in place of an empty text, and is not given in GraphQL', () => {
  expect(v2.CONTAINER.read({ registry: null })).toEqual({ registryId: null })
  expect(v2Endpoint.CONTAINER.read({ registry: null })).toEqual({ registryId: null })
  expect(graphql.CONTAINER.read({ containerRegistryAuthId: null, dockerArgs: null })).toEqual({})
})

it('every field of a template in REST is a row, or two members of the model', () => {
  const rows = (dialect: typeof v1 | typeof v2) => ['name', ...dialect.CONTAINER.names, ...dialect.NOTES.names].toSorted()
  expect(rows(v1)).toEqual(Object.keys(V1CreateTemplateBody.shape).toSorted())
  expect([...rows(v2), 'mounts'].toSorted()).toEqual(Object.keys(CreateTemplateBody.shape).toSorted())
})
