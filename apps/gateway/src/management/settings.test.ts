// Every setting that a dialect's schema has is honoured, refused with a sentence, or ignored for a reason that a contract gives. A field that is
// added to a schema fails here until somebody has decided which of the three it is.
import type { Endpoint } from '@runyard/schema'
import {
  CreateEndpointBody as V2Create,
  CreateTemplateBody as V2Template,
  V1CreateEndpointBody as V1Create,
  V1CreateTemplateBody as V1Template,
  V1UpdateEndpointBody as V1Update,
} from '@runyard/schema/api'
import { buildSchema, isInputObjectType } from 'graphql'
import { beforeEach, describe, expect } from 'vitest'
import type { z } from 'zod'
import { TYPE_DEFINITIONS } from './graphql/type-definitions.ts'
import { MODEL_TOOLS } from './model-tools.ts'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { it, opened, user } from '../testing/management-test.ts'

type Verdict =
  /** Sent so, it is part of the endpoint that is stored. */
  | { readonly send: unknown; readonly honoured: unknown }
  | { readonly send: unknown; readonly refused: string }
  /** Sent so, it is answered and changes nothing. */
  | { readonly send: unknown; readonly ignored: string }
  /** Honoured, which other tests of this directory show. */
  | { readonly elsewhere: string }

beforeEach(() => opened.addEnvironment('env'))

const spec = (part: Partial<Endpoint['spec']>) => ({ spec: part })
const settings = (part: Partial<Endpoint['settings']>) => ({ settings: part })
const scaling = (scaler: Endpoint['settings']['scaling']) => settings({ scaling: scaler })

const REPLY = 'a member of the reply that clients send back (flash-api §5.4)'
const NOTES = 'kept and shown; pods read it, workers do not (management §2.2, §4.2: clients send a default)'
const SITES = 'clients name all data centers by default (flash-api §3.1, management §6.1); a machine of one’s own is in none of them'
const VOLUME = 'Volume "v1" does not exist; create it first, or leave it out.'
const PORTS = 'Ports of workers cannot be reached from outside ("80/http")'
const SECRET = 'The environment variable "A" names the secret "a/b": names of secrets have letters, digits, "_", "." and "-" only.'
const asSecret = 'Bearer {{ RUNPOD_SECRET_a/b }}'

const GRAPHQL_ENDPOINT: Readonly<Record<string, Verdict>> = {
  id: { elsewhere: 'graphql.test.ts' },
  name: { send: 'other', honoured: { name: 'other' } },
  type: { send: 'LB', honoured: { type: 'LOAD_BALANCER' } },
  templateId: { elsewhere: 'templates.test.ts' },
  template: { elsewhere: 'below' },
  flashEnvironmentId: { send: 'env', honoured: { flashEnvironmentId: 'env' } },
  gpuIds: { send: 'AMPERE_80,-NVIDIA A100-SXM4-80GB', honoured: spec({ gpu: expect.objectContaining({ pools: ['AMPERE_80'] }) as never }) },
  gpuCount: { send: 2, honoured: spec({ gpu: expect.objectContaining({ count: 2 }) as never }) },
  instanceIds: { send: ['cpu3g-2-8'], honoured: spec({ cpu: { instanceIds: ['cpu3g-2-8'] } }) },
  allowedCudaVersions: { send: '12.8', honoured: spec({ gpu: expect.objectContaining({ allowedCudaVersions: ['12.8'] }) as never }) },
  minCudaVersion: { send: '12.8', honoured: spec({ gpu: expect.objectContaining({ minCudaVersion: '12.8' }) as never }) },
  locations: { send: 'EU-RO-1', ignored: SITES },
  networkVolumeId: { send: 'v1', refused: VOLUME },
  networkVolumeIds: { send: [{ networkVolumeId: 'v1' }], refused: VOLUME },
  volumes: { send: [{ volumeId: 'v1' }], refused: VOLUME },
  modelReferences: { elsewhere: 'cached-models.test.ts' },
  idleTimeout: { send: 77, honoured: settings({ idleTimeoutMs: 77_000 }) },
  scalerType: { send: 'REQUEST_COUNT', honoured: scaling({ type: 'REQUEST_COUNT', requestCount: 4 }) },
  scalerValue: { send: 9, honoured: scaling({ type: 'QUEUE_DELAY', queueDelay: 9 }) },
  workersMin: { send: 1, honoured: settings({ workersMin: 1 }) },
  workersMax: { send: 5, honoured: settings({ workersMax: 5 }) },
  workersStandby: { send: 2, ignored: REPLY },
  workersPFBTarget: { send: 2, refused: 'workersPFBTarget reserves capacity, which is not done here' },
  executionTimeoutMs: { send: 7000, honoured: settings({ executionTimeoutMs: 7000 }) },
  flashBootType: { send: 'PRIORITY_FLASHBOOT', refused: 'PRIORITY_FLASHBOOT reserves capacity, which is not done here' },
  hubReleaseId: { send: 'h', refused: 'hubReleaseId is not supported' },
  compliance: { send: ['GDPR'], refused: 'compliance chooses among data centers of Runpod' },
  version: { send: 7, ignored: REPLY },
  userId: { send: 'u', ignored: REPLY },
  aiKey: { send: 'k', ignored: REPLY },
  createdAt: { send: 'now', ignored: REPLY },
  computeType: { send: 'GPU', ignored: REPLY },
  activeBuildid: { send: 'b', ignored: REPLY },
  idePodId: { send: 'p', ignored: REPLY },
  hubRelease: { send: {}, ignored: REPLY },
  repo: { send: {}, ignored: REPLY },
}

const GRAPHQL_TEMPLATE: Readonly<Record<string, Verdict>> = {
  name: { send: 'tt', honoured: { templateName: 'tt' } },
  imageName: { send: 'y:2', honoured: spec({ image: 'y:2' }) },
  containerDiskInGb: { send: 33, honoured: spec({ diskGb: 33 }) },
  containerRegistryAuthId: { send: 'none', refused: 'Registry credentials "none" were not found' },
  dockerArgs: { send: 'run me', honoured: spec({ args: 'run me' }) },
  env: { send: [{ key: 'A', value: asSecret }], refused: SECRET },
  ports: { send: '80/http', refused: PORTS },
  readme: { send: '# me', honoured: { echo: { readme: '# me' } } },
  startScript: { send: 'x', refused: 'template.startScript is not supported' },
  advancedStart: { send: true, refused: 'template.advancedStart is not supported' },
  config: { send: { a: 1 }, refused: 'template.config is not supported' },
  volumeInGb: { send: 20, refused: 'Workers have no volume of their own; template.volumeInGb of 20 was given.' },
  volumeMountPath: { send: '/workspace', ignored: 'the path of a volume that there is none of; clients send a default (management §4.2)' },
  isServerless: { send: false, ignored: 'the template of an endpoint is serverless (management §2.2)' },
  isPublic: { send: true, ignored: 'nothing is shown to other owners here; clients send a default (management §4.2)' },
}

const V2_ENDPOINT: Readonly<Record<string, Verdict>> = {
  name: { send: 'other', honoured: { name: 'other' } },
  type: { send: 'LOAD_BALANCER', refused: 'A load-balanced endpoint scales by REQUEST_COUNT only; QUEUE_DELAY was given.' },
  scaling: { send: { type: 'QUEUE_DELAY', queueDelay: 9 }, honoured: scaling({ type: 'QUEUE_DELAY', queueDelay: 9 }) },
  gpu: { send: { pools: ['ADA_24'], count: 2 }, honoured: spec({ gpu: expect.objectContaining({ count: 2 }) as never }) },
  cpu: { elsewhere: 'rest/rest.test.ts' },
  image: { send: 'y:2', honoured: spec({ image: 'y:2' }) },
  args: { send: 'run me', honoured: spec({ args: 'run me' }) },
  disk: { send: 33, honoured: spec({ diskGb: 33 }) },
  ports: { send: ['80/http'], refused: PORTS },
  env: { send: { A: asSecret }, refused: SECRET },
  registry: { send: 'none', refused: 'Registry credentials "none" were not found' },
  templateId: { send: 'none', refused: 'Template "none" was not found' },
  workers: { send: { min: 1, max: 2, idleTimeout: 77 }, honoured: settings({ workersMin: 1, workersMax: 2, idleTimeoutMs: 77_000 }) },
  dataCenterIds: { send: ['EU-RO-1'], ignored: SITES },
  networkVolumes: { send: ['v1'], refused: VOLUME },
  timeout: { send: 7000, honoured: settings({ executionTimeoutMs: 7000 }) },
  priority: { send: 3, honoured: settings({ priority: 3 }) },
  requestsPerSecond: { send: 2, refused: '"requestsPerSecond" is for load-balanced endpoints; a queue scales by the jobs that it holds.' },
  flashboot: { send: 'PRIORITY_FLASHBOOT', refused: 'PRIORITY_FLASHBOOT reserves capacity, which is not done here' },
}

const V1_ENDPOINT: Readonly<Record<string, Verdict>> = {
  templateId: { send: 'none', refused: 'Template "none" was not found' },
  computeType: { elsewhere: 'rest-v1/rest-v1.test.ts' },
  name: { send: 'other', honoured: { name: 'other' } },
  gpuTypeIds: { send: ['NVIDIA L4'], honoured: spec({ gpu: expect.objectContaining({ pools: ['NVIDIA L4'] }) as never }) },
  gpuCount: { send: 2, honoured: spec({ gpu: expect.objectContaining({ count: 2 }) as never }) },
  cpuFlavorIds: { send: ['cpu5c'], honoured: spec({ cpu: { instanceIds: ['cpu5c-2-4'] } }) },
  vcpuCount: { elsewhere: 'rest-v1/rest-v1.test.ts' },
  allowedCudaVersions: { send: ['12.8'], honoured: spec({ gpu: expect.objectContaining({ allowedCudaVersions: ['12.8'] }) as never }) },
  minCudaVersion: { send: '12.8', honoured: spec({ gpu: expect.objectContaining({ minCudaVersion: '12.8' }) as never }) },
  dataCenterIds: { send: ['EU-RO-1'], ignored: SITES },
  networkVolumeId: { send: 'v1', refused: VOLUME },
  networkVolumeIds: { send: ['v1'], refused: VOLUME },
  workersMin: { send: 1, honoured: settings({ workersMin: 1 }) },
  workersMax: { send: 5, honoured: settings({ workersMax: 5 }) },
  idleTimeout: { send: 77, honoured: settings({ idleTimeoutMs: 77_000 }) },
  scalerType: { send: 'REQUEST_COUNT', honoured: scaling({ type: 'REQUEST_COUNT', requestCount: 4 }) },
  scalerValue: { send: 9, honoured: scaling({ type: 'QUEUE_DELAY', queueDelay: 9 }) },
  executionTimeoutMs: { send: 7000, honoured: settings({ executionTimeoutMs: 7000 }) },
  flashboot: { send: true, ignored: 'how a stopped worker comes back is up to the server, without a promise (management §6.2)' },
}

/** Of templates that endpoints follow: what is no part of their container. */
const V2_TEMPLATE: Readonly<Record<string, Verdict>> = {
  ...Object.fromEntries(
    ['name', 'image', 'serverless', 'args', 'disk', 'registry'].map((name) => [name, { elsewhere: 'templates.test.ts' }]),
  ),
  ...Object.fromEntries(
    ['containerRegistryAuthId', 'dockerEntrypoint', 'dockerStartCmd'].map((name) => [name, { elsewhere: 'account.test.ts' }]),
  ),
  env: { send: { A: asSecret }, refused: SECRET },
  ports: { send: ['80/http'], ignored: NOTES },
  mounts: { send: { persistent: { size: 20, path: '/w' } }, refused: 'A serverless template has no volume of its own; 20 GB was given.' },
  public: { send: true, ignored: NOTES },
  category: { send: 'CPU', ignored: NOTES },
  readme: { send: '# me', ignored: NOTES },
  startSsh: { send: false, ignored: NOTES },
  startJupyter: { send: false, ignored: NOTES },
  allowedCudaVersions: { send: ['12.8'], ignored: NOTES },
}

const V1_TEMPLATE: Readonly<Record<string, Verdict>> = {
  ...Object.fromEntries(
    ['name', 'imageName', 'isServerless', 'containerDiskInGb', 'dockerEntrypoint', 'dockerStartCmd', 'containerRegistryAuthId'].map(
      (name) => [name, { elsewhere: 'rest-v1/rest-v1.test.ts' }],
    ),
  ),
  env: { send: { A: asSecret }, refused: SECRET },
  ports: { send: ['80/http'], ignored: NOTES },
  volumeInGb: { send: 20, refused: 'A serverless template has no volume of its own; 20 GB was given.' },
  volumeMountPath: { send: '/w', ignored: NOTES },
  isPublic: { send: true, ignored: NOTES },
  readme: { send: '# me', ignored: NOTES },
  category: { send: 'CPU', ignored: NOTES },
}

const TEMPLATE = { name: 't', imageName: 'x:1' }
const GRAPHQL = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'

async function byGraphql(member: Record<string, unknown>): Promise<string> {
  const input = { name: 'e', gpuIds: 'ADA_24', template: TEMPLATE, ...member }
  const { json } = await user.rest('POST', '/graphql', { query: GRAPHQL, variables: { input } })
  return sentenceIn(json)
}

async function byV2(member: Record<string, unknown>): Promise<string> {
  return sentenceIn((await user.rest('POST', '/v2/serverless', { ...QUEUE_BODY, ...member })).json)
}

async function byV1(member: Record<string, unknown>): Promise<string> {
  const made = await user.rest('POST', '/v1/templates', { ...TEMPLATE, isServerless: true, containerDiskInGb: 5 })
  return sentenceIn((await user.rest('POST', '/v1/endpoints', { name: 'e', templateId: made.json['id'], ...member })).json)
}

/** A template, and an endpoint that follows it. */
const byTemplate =
  (path: string, template: Record<string, unknown>) =>
  async (member: Record<string, unknown>): Promise<string> => {
    const { status, json } = await user.rest('POST', path, { ...template, ...member })
    if (status > 201) return sentenceIn(json)
    return sentenceIn((await user.rest('POST', '/v1/endpoints', { name: 'e', templateId: json['id'] })).json)
  }

/** '' where all went well. */
function sentenceIn(json: Record<string, unknown>): string {
  const [error] = (json['errors'] as readonly { message: string }[] | undefined) ?? []
  const sentence = json['error'] ?? json['detail'] ?? error?.message ?? ''
  return typeof sentence === 'string' ? sentence : JSON.stringify(sentence)
}

const shapeOf = (shape: z.ZodObject) => Object.keys(shape.shape)

function inputOf(name: string): readonly string[] {
  const type = buildSchema(TYPE_DEFINITIONS).getType(name)
  return isInputObjectType(type) ? Object.keys(type.getFields()) : []
}

const inTemplate = (member: Record<string, unknown>) => byGraphql({ template: { ...TEMPLATE, ...member } })

describe.each([
  ['saveEndpoint', inputOf('EndpointInput'), GRAPHQL_ENDPOINT, byGraphql],
  ['the template of saveEndpoint', inputOf('EndpointTemplateInput'), GRAPHQL_TEMPLATE, inTemplate],
  ['POST /v2/serverless', shapeOf(V2Create), V2_ENDPOINT, byV2],
  ['POST /v1/endpoints', [...new Set([...shapeOf(V1Create), ...shapeOf(V1Update)])], V1_ENDPOINT, byV1],
  ['POST /v2/templates', shapeOf(V2Template), V2_TEMPLATE, byTemplate('/v2/templates', { name: 't', image: 'x:1', serverless: true })],
  ['POST /v1/templates', shapeOf(V1Template), V1_TEMPLATE, byTemplate('/v1/templates', { ...TEMPLATE, isServerless: true })],
] as const)('each setting of %s', (_what, fields, verdicts, save) => {
  it('is honoured, refused or ignored for a reason', () => {
    expect(new Set(Object.keys(verdicts))).toEqual(new Set(fields))
  })

  it.each(Object.entries(verdicts).filter(([, verdict]) => 'honoured' in verdict))('%s is honoured', async (name, verdict) => {
    if (!('honoured' in verdict)) throw new Error('filtered')
    expect(await save({ [name]: verdict.send })).toBe('')
    expect(await opened.store.endpoints.list()).toEqual([expect.objectContaining({})])
    expect(await opened.store.endpoints.list()).toMatchObject([verdict.honoured])
  })

  it.each(Object.entries(verdicts).filter(([, verdict]) => 'refused' in verdict))('%s is refused', async (name, verdict) => {
    if (!('refused' in verdict)) throw new Error('filtered')
    expect(await save({ [name]: verdict.send })).toContain(verdict.refused)
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it.each(Object.entries(verdicts).filter(([, verdict]) => 'ignored' in verdict))('%s is ignored', async (name, verdict) => {
    if (!('ignored' in verdict)) throw new Error('filtered')
    expect(await save({ [name]: verdict.send })).toBe('')
    expect(await opened.store.endpoints.list()).toHaveLength(1)
  })
})

describe('an endpoint of a deployed app', () => {
  const BUILTIN = { ...TEMPLATE, imageName: 'runpod/flash:py3.12-latest', env: [{ key: 'FLASH_RESOURCE_NAME', value: 'a' }] }

  it('is refused where it belongs to no environment, since its worker would find no code', async () => {
    expect(await byGraphql({ template: BUILTIN })).toContain('belongs to no environment')
  })

  it('is served with an environment, or with an image that brings its code', async () => {
    expect(await byGraphql({ flashEnvironmentId: 'env', template: BUILTIN })).toBe('')
    expect(await byGraphql({ template: { ...BUILTIN, imageName: 'mine:1' } })).toBe('')
  })
})

describe('what an endpoint has from before', () => {
  it('stays when something else about it changes', async () => {
    expect(await byGraphql({})).toBe('')
    const [saved] = await opened.store.endpoints.list()
    if (saved === undefined) throw new Error('nothing is stored')
    const before: Endpoint = {
      ...saved,
      type: 'LOAD_BALANCER',
      settings: { ...saved.settings, scaling: { type: 'REQUEST_COUNT', requestCount: 4 } },
      spec: { ...saved.spec, ports: ['80/http'], networkVolumeIds: ['v1'], flashboot: 'PRIORITY_FLASHBOOT' },
    }
    const old = {
      id: 'v1',
      name: 'v1',
      ownerId: saved.ownerId,
      kind: 'STANDARD',
      sizeGb: 1,
      dataCenterId: 'EU-RO-1',
      createdAt: 1,
    } as const
    await opened.store.resources.volumes.save({ ...MODEL_TOOLS, now: 1, ownerId: saved.ownerId, id: undefined, edit: () => old })
    await opened.store.endpoints.upsert({ id: saved.id }, () => before)
    const path = `/v2/serverless/${saved.id}`
    const { json } = await user.rest('PATCH', path, { workers: { max: 7 }, ports: ['80/http'], networkVolumes: ['v1'] })
    expect(json).toMatchObject({ workers: { max: 7 }, ports: ['80/http'], networkVolumes: ['v1'], type: 'LOAD_BALANCER' })
    expect((await user.rest('PATCH', path, { networkVolumes: ['v1', 'v2'] })).json['detail']).toContain('Volume "v2" does not exist')
    expect((await user.rest('DELETE', path)).status).toBe(204)
  })
})
