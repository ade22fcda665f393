// All operations of Runpod's published REST v2 (its OpenAPI document 2.0.0 of 2026-08-20, https://github.com/runpod/docs, api-reference-v2): each is
// answered, and what is served has the members and types that the document names. `rest-v2-shapes.json` holds these and nothing else of it. Two
// differences are ours: CPU sizes of one vCPU, which Flash asks for, and more members than the document has.
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeEach, describe, expect } from 'vitest'
import published from '../../testing/rest-v2-shapes.json' with { type: 'json' }
import { QUEUE_BODY } from '../../testing/management-app.ts'
import { it, user } from '../../testing/management-test.ts'

type Shape = object | null
type Key = keyof typeof published.operations

const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({
  $id: 'published',
  shapes: JSON.parse(JSON.stringify(published.shapes).replaceAll('#/shapes/', 'published#/shapes/')) as object,
})

function faultOf(key: string, status: number, json: unknown): string | undefined {
  const shapes = published.operations[key as Key] as Readonly<Record<string, Shape>>
  const shape = shapes[String(status)]
  if (shape === undefined) return `${key} answered ${status}: ${JSON.stringify(json)}`
  if (shape === null) return undefined
  const validate = ajv.compile(JSON.parse(JSON.stringify(shape).replaceAll('#/shapes/', 'published#/shapes/')) as object)
  return validate(json) ? undefined : `${key}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(json)}`
}

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB me@here'

interface Known {
  endpoint: string
  template: string
  registry: string
  volume: string
}

let known: Known
beforeEach(async () => {
  const make = async (url: string, body: object): Promise<string> => String((await user.rest('POST', url, body)).json['id'])
  known = {
    endpoint: await make('/v2/serverless', QUEUE_BODY),
    template: await make('/v2/templates', { name: 't', image: 'me/worker:1', serverless: true }),
    registry: await make('/v2/registries', { name: 'r', username: 'u', password: 'p' }),
    volume: await make('/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'EU-RO-1' }),
  }
})

/** Operation → path and body; none: what a pool does not have. */
const SERVED: Partial<Record<Key, (ids: Known) => readonly [path: string, body?: object]>> = {
  'GET /v2/account/ssh-keys': () => ['/v2/account/ssh-keys'],
  'PUT /v2/account/ssh-keys': () => ['/v2/account/ssh-keys', { keys: [KEY] }],
  'GET /v2/pods': () => ['/v2/pods?includeClusterPods=true'],
  'GET /v2/clusters': () => ['/v2/clusters'],
  'GET /v2/serverless': () => ['/v2/serverless'],
  'POST /v2/serverless': () => ['/v2/serverless', { ...QUEUE_BODY, name: 'two', gpu: undefined, cpu: [{ id: 'cpu3g', vcpuCount: 2 }] }],
  'GET /v2/serverless/{id}': ({ endpoint }) => [`/v2/serverless/${endpoint}`],
  'PATCH /v2/serverless/{id}': ({ endpoint }) => [
    `/v2/serverless/${endpoint}`,
    { gpu: { pools: ['ADA_24'], minCudaVersion: '12.8' }, disk: 20 },
  ],
  'DELETE /v2/serverless/{id}': ({ endpoint }) => [`/v2/serverless/${endpoint}`],
  'GET /v2/serverless/{id}/workers': ({ endpoint }) => [`/v2/serverless/${endpoint}/workers`],
  'GET /v2/serverless/{id}/releases': ({ endpoint }) => [`/v2/serverless/${endpoint}/releases`],
  'GET /v2/templates': () => ['/v2/templates'],
  'POST /v2/templates': () => [
    '/v2/templates',
    { name: 'u', image: 'me/worker:1', disk: 7, mounts: { persistent: { size: 10, path: '/w' } } },
  ],
  'GET /v2/templates/{id}': ({ template }) => [`/v2/templates/${template}`],
  'PATCH /v2/templates/{id}': ({ template }) => [`/v2/templates/${template}`, { readme: 'more' }],
  'DELETE /v2/templates/{id}': ({ template }) => [`/v2/templates/${template}`],
  'GET /v2/network-volumes': () => ['/v2/network-volumes'],
  'POST /v2/network-volumes': () => ['/v2/network-volumes', { name: 'w', size: 10, dataCenter: 'EU-RO-1' }],
  'GET /v2/network-volumes/{id}': ({ volume }) => [`/v2/network-volumes/${volume}`],
  'PATCH /v2/network-volumes/{id}': ({ volume }) => [`/v2/network-volumes/${volume}`, { name: 'x' }],
  'DELETE /v2/network-volumes/{id}': ({ volume }) => [`/v2/network-volumes/${volume}`],
  'GET /v2/registries': () => ['/v2/registries'],
  'POST /v2/registries': () => ['/v2/registries', { name: 's', username: 'u', password: 'p' }],
  'GET /v2/registries/{id}': ({ registry }) => [`/v2/registries/${registry}`],
  'DELETE /v2/registries/{id}': ({ registry }) => [`/v2/registries/${registry}`],
  'GET /v2/registries/delegations': () => ['/v2/registries/delegations'],
  'GET /v2/catalog/gpus': () => ['/v2/catalog/gpus?include=AVAILABILITY&product=SERVERLESS&count=1'],
  'GET /v2/catalog/gpus/{id}': () => ['/v2/catalog/gpus/NVIDIA%20L4?include=AVAILABILITY'],
  'GET /v2/catalog/cpus': () => ['/v2/catalog/cpus?include=AVAILABILITY&product=SERVERLESS'],
  'GET /v2/catalog/cpus/{id}': () => ['/v2/catalog/cpus/cpu3g'],
  'GET /v2/catalog/datacenters': () => ['/v2/catalog/datacenters?include=GPU_AVAILABILITY'],
  'GET /v2/catalog/datacenters/{id}': () => ['/v2/catalog/datacenters/EU-RO-1'],
  'GET /v2/catalog/templates': () => ['/v2/catalog/templates?source=RUNPOD'],
  'GET /v2/billing': () => ['/v2/billing?bucketSize=week&lastN=4'],
  'GET /v2/billing/pods': () => ['/v2/billing/pods'],
  'GET /v2/billing/serverless': () => ['/v2/billing/serverless?startTime=2026-01-01T00:00:00Z&endTime=2026-01-02T00:00:00Z'],
  'GET /v2/billing/endpoints': () => ['/v2/billing/endpoints'],
  'GET /v2/billing/network-volumes': () => ['/v2/billing/network-volumes'],
  'GET /v2/billing/clusters': () => ['/v2/billing/clusters?bucketSize=month'],
}
/** Checked where it is served: a stream. */
const ELSEWHERE: ReadonlySet<string> = new Set(['GET /v2/serverless/{id}/workers/{workerId}/logs'])

const KEYS = Object.keys(published.operations) as Key[]
const methodOf = (key: string) => key.split(' ')[0] as 'GET'

describe('the published REST v2', () => {
  it('has 53 operations, and each is served or refused', () => {
    expect(KEYS).toHaveLength(53)
  })

  it.each(KEYS.filter((key) => SERVED[key] !== undefined))('%s has the members and types of the document', async (key) => {
    const [path, body] = SERVED[key]?.(known) ?? ['']
    const { status, json } = await user.rest(methodOf(key), path, body)
    expect(faultOf(key, status, json)).toBeUndefined()
  })

  it.each(KEYS.filter((key) => SERVED[key] === undefined && !ELSEWHERE.has(key)))('%s is refused with one sentence', async (key) => {
    const path = key.slice(key.indexOf(' ') + 1).replaceAll(/\{\w+\}/gu, 'x1')
    const { status, json } = await user.rest(methodOf(key), path, methodOf(key) === 'GET' ? undefined : {})
    expect({ status, json }).toMatchObject({
      status: 404,
      json: { title: 'Not Found', status: 404, detail: expect.stringMatching(/^[A-Z].*\.$/u) as string },
    })
  })

  it('refuses a body with the texts of what is wrong', async () => {
    const { status, json } = await user.rest('POST', '/v2/serverless', { ...QUEUE_BODY, scaling: { type: 'NONE' }, more: 1 })
    expect({ status, json }).toMatchObject({
      status: 422,
      json: { title: expect.any(String) as string, detail: expect.any(String) as string },
    })
    const errors = json['errors'] as readonly string[]
    expect(errors.length).toBeGreaterThan(1)
    expect(errors.filter((error) => typeof error !== 'string')).toEqual([])
  })
})
