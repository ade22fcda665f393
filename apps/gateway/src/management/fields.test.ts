// The tables of fields: what is written is read again, for every row and any value; and no input of a dialect has a field that they do not know.
import type { Template } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CreateEndpointBody,
  CreateTemplateBody,
  UpdateEndpointBody,
  UpdateTemplateBody,
  V1CreateEndpointBody,
  V1CreateTemplateBody,
  V1UpdateEndpointBody,
  V1UpdateTemplateBody,
} from '@runyard/schema/api'
import { buildSchema, isInputObjectType } from 'graphql'
import type { z } from 'zod'
import { CPU, GPU, PLACEMENT, SETTINGS, WORKERS } from './endpoint-fields.ts'
import { DIALECTS } from './fields.ts'
import { TYPE_DEFINITIONS } from './graphql/type-definitions.ts'
import { REFUSED } from './graphql/unsupported.ts'
import { CONTAINER, NOTES } from './template-fields.ts'

const word = fc.stringMatching(/^[a-z]{1,8}$/u)
const version = fc.constantFrom('12.4', '12.8', '13.0')
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
  scaling: fc.constantFrom({ type: 'QUEUE_DELAY' as const, queueDelay: 4 }, { type: 'REQUEST_COUNT' as const, requestCount: 2 }),
  executionTimeoutMs: fc.nat(10_000),
  priority: fc.constantFrom(1, 3),
  requestsPerSecond: fc.constantFrom(0.5, 2),
})
const placement = fc.record({
  dataCenterIds: fc.array(word),
  networkVolumeIds: fc.array(word),
  flashboot: fc.constantFrom('OFF', 'FLASHBOOT', 'PRIORITY_FLASHBOOT'),
})
const gpu = fc.record({
  selection: fc
    .uniqueArray(fc.constantFrom('NVIDIA L4', 'NVIDIA A40', 'NVIDIA GeForce RTX 4090'), { minLength: 1 })
    .map((pools) => ({ pools, excludedTypes: [] })),
  count: fc.integer({ min: 1, max: 8 }),
  allowedCudaVersions: fc.uniqueArray(version),
  minCudaVersion: fc.option(version),
})
const cpu = fc.record({ instanceIds: fc.uniqueArray(fc.constantFrom('cpu3g-2-8', 'cpu5c-4-8'), { minLength: 1 }) })

describe.each(DIALECTS)('the fields of %s', (dialect) => {
  it.each([
    // REST v2 has a number where there is none.
    ['a container', CONTAINER[dialect], dialect === 'v2' ? container.filter(({ diskGb }) => diskGb !== null) : container],
    ['notes', NOTES[dialect], notes],
    ['workers', WORKERS[dialect], settings],
    ['settings', SETTINGS[dialect], settings],
    ['placement', PLACEMENT[dialect], placement],
    ['GPUs', GPU[dialect], gpu],
    ['CPUs', CPU[dialect], cpu],
  ] as const)('of %s: what is written is read back', (_what, fields, values) => {
    expect(fields.names.length).toBeGreaterThan(0)
    fc.assert(
      fc.property(values as fc.Arbitrary<never>, (model) => {
        // A field that is left out stands for what the model has none of.
        const back = Object.entries(fields.read(fields.write(model) as never))
        expect(back.map(([member]) => [member, (model as Record<string, unknown>)[member]])).toEqual(back)
      }),
    )
  })
})

it('a container without a disk limit has 50 GB in REST v2, whose clients need a number', () => {
  expect(CONTAINER.v2.write({ diskGb: null } as Template['container'])).toMatchObject({ disk: 50 })
})

it('null clears in REST, where bodies have it in place of an empty text, and is not given in GraphQL', () => {
  expect(CONTAINER.v2.read({ registry: null })).toEqual({ registryId: null })
  expect(CONTAINER.graphql.read({ containerRegistryAuthId: null, dockerArgs: null })).toEqual({})
})

it('several fields that make one value are read together, and what they leave out is as it was', () => {
  expect(SETTINGS.v1.read({ scalerValue: 7 }, { scaling: { type: 'REQUEST_COUNT', requestCount: 2 } })).toEqual({
    scaling: { type: 'REQUEST_COUNT', requestCount: 7 },
  })
  expect(CPU.v1.read({ vcpuCount: 4 }, { instanceIds: ['cpu3g-2-8', 'cpu5c-2-4'] })).toEqual({ instanceIds: ['cpu3g-4-16', 'cpu5c-4-8'] })
  expect(CPU.v1.read({}, { instanceIds: ['cpu3g-2-8'] })).toEqual({})
})

const inBodies = (...shapes: readonly z.ZodObject[]) => shapes.flatMap(({ shape }) => Object.keys(shape))
function inInput(name: string): readonly string[] {
  const type = buildSchema(TYPE_DEFINITIONS).getType(name)
  return isInputObjectType(type) ? Object.keys(type.getFields()) : []
}
const rowsOf = (dialect: (typeof DIALECTS)[number], tables: readonly Record<typeof dialect, { readonly names: readonly string[] }>[]) =>
  tables.flatMap((table) => table[dialect].names)

const FLAT = [WORKERS, SETTINGS, PLACEMENT, GPU, CPU]
const TEMPLATE = [CONTAINER, NOTES]
/** Members of the reply that clients send back; `settings.test.ts` names the contract that lets them be ignored. */
const SENT_BACK = 'workersStandby version userId aiKey createdAt computeType activeBuildid idePodId hubRelease repo'.split(' ')
const { gpu: v2Gpu, workers: v2Workers } = UpdateEndpointBody.shape

it.each([
  [
    'an endpoint of REST v2',
    inBodies(CreateEndpointBody, UpdateEndpointBody),
    rowsOf('v2', [SETTINGS, PLACEMENT, CPU, CONTAINER]),
    // The last four are Terraform's (production §2.5).
    ['name', 'type', 'templateId', 'gpu', 'workers', 'computeType', 'cloudType', 'containerDiskInGb', 'vcpuCount'],
  ],
  ['its gpu', inBodies(v2Gpu.unwrap()), GPU.v2.names, []],
  ['its workers', inBodies(v2Workers.unwrap()), WORKERS.v2.names, []],
  [
    'an endpoint of REST v1',
    inBodies(V1CreateEndpointBody, V1UpdateEndpointBody),
    rowsOf('v1', FLAT),
    ['name', 'templateId', 'computeType'],
  ],
  [
    'an endpoint of GraphQL',
    inInput('EndpointInput'),
    rowsOf('graphql', FLAT),
    ['id', 'name', 'type', 'templateId', 'template', 'flashEnvironmentId', 'modelReferences', ...REFUSED.endpoint, ...SENT_BACK],
  ],
  [
    'a template of REST v2',
    inBodies(CreateTemplateBody, UpdateTemplateBody),
    rowsOf('v2', TEMPLATE),
    // The last three are Terraform's.
    ['name', 'mounts', 'containerRegistryAuthId', 'dockerEntrypoint', 'dockerStartCmd'],
  ],
  ['a template of REST v1', inBodies(V1CreateTemplateBody, V1UpdateTemplateBody), rowsOf('v1', TEMPLATE), ['name']],
  ['a template of GraphQL', inInput('SaveTemplateInput'), rowsOf('graphql', TEMPLATE), ['id', 'name', ...REFUSED.template]],
] as const)('every field of %s is a row of a table, is refused, or is listed here', (_input, fields, rows, others) => {
  const known = new Set<string>([...rows, ...others])
  expect([...known].toSorted()).toEqual([...new Set(fields)].toSorted())
})
