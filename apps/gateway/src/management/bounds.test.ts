// What is too large, too many or no name at all is refused by the model, in one sentence, whatever dialect it came in.
import { AppsConfig, ModelsConfig } from '@runyard/schema'
import { describe, expect } from 'vitest'
import { createManagementModel } from './model.ts'
import { it, opened, user } from '../testing/management-test.ts'

/** What an owner says of an endpoint, without a dialect. */
interface Said {
  readonly name?: string
  readonly image?: string
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Of a template alone. */
  readonly ports?: readonly string[]
  readonly readme?: string
  readonly workersMax?: number
  readonly gpuCount?: number
  readonly disk?: number
  readonly dataCenterIds?: readonly string[]
}

const GRAPHQL = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'

async function saveByGraphql({ name = 'e', workersMax, gpuCount, dataCenterIds, ...said }: Said): Promise<string> {
  const template = {
    imageName: said.image ?? 'x:1',
    name: 't',
    dockerArgs: said.args?.join(' '),
    env: Object.entries(said.env ?? {}).map(([key, value]) => ({ key, value })),
    readme: said.readme,
    containerDiskInGb: said.disk,
  }
  const input = { name, gpuIds: 'ADA_24', gpuCount, workersMax, locations: dataCenterIds?.join(','), template }
  return JSON.stringify(await user.graphql(GRAPHQL, { input }))
}

async function saveByV2({ name = 'e', workersMax, gpuCount, dataCenterIds, ...said }: Said): Promise<string> {
  const body = {
    name,
    type: 'QUEUE',
    scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
    gpu: { pools: ['ADA_24'], count: gpuCount },
    image: said.image ?? 'x:1',
    env: said.env,
    args: said.args?.join(' '),
    disk: said.disk,
    workers: { max: workersMax },
    dataCenterIds,
  }
  const { json } = await user.rest('POST', '/v2/serverless', body)
  return JSON.stringify(json['detail'] ?? json)
}

/** The container is a template's. */
async function saveByV1({ name = 'e', workersMax, gpuCount, dataCenterIds, ...said }: Said): Promise<string> {
  const template = {
    name: `t-${name}`.slice(0, 191),
    imageName: said.image ?? 'x:1',
    isServerless: true,
    env: said.env,
    dockerStartCmd: said.args,
    ports: said.ports,
    readme: said.readme,
    containerDiskInGb: said.disk,
  }
  const made = await user.rest('POST', '/v1/templates', template)
  if (made.status !== 200) return JSON.stringify(made.json['error'])
  const { json } = await user.rest('POST', '/v1/endpoints', { name, templateId: made.json['id'], workersMax, gpuCount, dataCenterIds })
  return JSON.stringify(json['error'] ?? json)
}

const KIB = 1024
const variables = (number: number, bytes: number) =>
  Object.fromEntries(Array.from({ length: number }, (_, index) => [`V${index}`, 'x'.repeat(bytes)]))

const REFUSED: readonly (readonly [what: string, said: Said, sentence: string])[] = [
  ['a path for an image', { image: 'runyard/worker:latest/get?x=' }, 'is not the name of a container image'],
  ['the beginning of an image’s id', { image: '17' }, 'the beginning of an image’s id; write 17:latest'],
  ['the id of an image', { image: `sha256:${'0'.repeat(64)}` }, 'it is the id of an image'],
  ['an image in upper case', { image: 'Mine/Worker' }, 'lower case'],
  ['a name with an escape sequence', { name: 'ok\u001B[2K' }, 'ok<U+001B>[2K\\" has U+001B.'],
  ['a name with a line break', { name: 'one\ntwo' }, 'has U+000A'],
  ['a name that turns its line around', { name: 'a\u202Eb' }, 'has U+202E'],
  ['a variable’s name with a control character', { env: { 'A\u0007': '1' } }, 'A<U+0007>\\" cannot be the name of an environment variable'],
  ['a variable of 128 KiB', { env: variables(1, 128 * KIB) }, 'at most 131072 are allowed'],
  ['variables of 1 MiB', { env: variables(10, 110 * KIB) }, 'too many bytes of environment variables'],
  ['a thousand variables and one', { env: variables(1001, 1) }, 'at most 1000 are allowed'],
  ['a start command of 32 KiB', { args: ['x'.repeat(32 * KIB), 'y'] }, 'too many bytes in a start command'],
  ['201 data centers', { dataCenterIds: Array.from({ length: 201 }, (_, index) => `DC-${index}`) }, 'too many data centers'],
  ['1001 workers', { workersMax: 1001 }, 'at most 1000 workers (limits.workersPerEndpoint); a maximum of 1001 was given'],
  ['65 GPUs', { gpuCount: 65 }, 'at most 64 GPUs; 65 was given'],
  ['a disk of a petabyte', { disk: 1e6 }, 'at most 100000 GB; 1000000 was given'],
]

describe.each([
  ['GraphQL', saveByGraphql],
  ['REST v2', saveByV2],
  ['REST v1', saveByV1],
])('an endpoint that is saved by %s', (_dialect, save) => {
  it.each(REFUSED)('with %s is refused', async (_what, said, sentence) => {
    expect(await save(said)).toContain(sentence)
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it('may be as large as is allowed', async () => {
    const env = { ...variables(7, 128 * KIB - 10), LAST: 'x' }
    const said = { name: 'n'.repeat(191), env, args: ['x'.repeat(32 * KIB - 1)], workersMax: 1000, gpuCount: 64 }
    await save(said)
    expect(await opened.store.endpoints.list()).toMatchObject([{ name: said.name, settings: { workersMax: 1000 } }])
  })
})

it.each([
  ['a port of 2 KiB', ['8'.repeat(2 * KIB)], 'is too long for one of the ports'],
  ['201 ports', Array.from({ length: 201 }, (_, index) => `${index + 1}/http`), 'too many ports'],
])('a template with %s is refused', async (_what, ports, sentence) => {
  expect(await saveByV1({ ports })).toContain(sentence)
})

it.each([
  ['REST v1', '/v1/templates', { name: 't', imageName: 'x' }],
  ['REST v2', '/v2/templates', { name: 't', image: 'x' }],
])('a template with a readme of more than 64 KiB is refused by %s', async (_dialect, path, template) => {
  const { json } = await user.rest('POST', path, { ...template, readme: 'x'.repeat(64 * KIB + 1) })
  expect(JSON.stringify(json)).toContain('too many bytes in a readme')
})

it('registry credentials with an escape sequence in their name are refused', async () => {
  const { json } = await user.rest('POST', '/v2/registries', { name: 'a\u001Bb', username: 'u', password: 'p' })
  expect(json['detail']).toContain('The name of registry credentials must not contain control characters')
})

it('half of a surrogate pair in a name is refused', async () => {
  const { json } = await user.rest('POST', '/v2/registries', { name: 'a\uD800', username: 'u', password: 'p' })
  expect(json['detail']).toContain('half of a surrogate pair')
})

it('what a client of GraphQL wants echoed is bounded', async () => {
  const input = { name: 'e', gpuIds: `ADA_24${','.repeat(20 * KIB)}`, template: { name: 't', imageName: 'x' } }
  expect(await user.graphql(GRAPHQL, { input })).toContain('too many bytes in gpuIds, locations and their like')
})

it('a million workers without a place are a number in the list of workers, not rows', async () => {
  await saveByV2({})
  const [{ id } = { id: '' }] = await opened.store.endpoints.list()
  await opened.store.status.put(id, { throttled: 1_000_000, unhealthy: 2, reason: 'capacity', message: undefined, at: Date.now() })
  const { json } = await user.rest('GET', `/v2/serverless/${id}/workers`)
  expect(json).toMatchObject({ summary: { throttled: 1_000_000, unhealthy: 2, total: 1_000_002 } })
  expect(json['workers']).toHaveLength(102)
})

describe('workers', () => {
  const change = (workersMax: number) => ({ settings: { workersMax }, container: { image: 'x' }, gpu: { pools: ['ADA_24'] } })
  const save = async (name: string, workersMax: number, limits: { workersPerEndpoint: number; workersPerOwner: number }) => {
    const model = createManagementModel(opened.store, { limits, apps: AppsConfig.parse({}), models: ModelsConfig.parse({}) })
    await model.save(name.slice(0, 1), { name, flashEnvironmentId: null }, () => ({ name, ...change(workersMax) }))
  }

  it('of all endpoints of one owner are limited together where a setting says so', async () => {
    const limits = { workersPerEndpoint: 10, workersPerOwner: 5 }
    await save('a1', 3, limits)
    await save('b1', 5, limits)
    await expect(save('a2', 3, limits)).rejects.toThrow(
      'Your endpoints may have 5 workers together (limits.workersPerOwner): the others have 3 and this one asks for 3; lower the maximum of one.',
    )
    await save('a2', 2, limits)
    const saves = ['a3', 'a4', 'a5'].map((name) => save(name, 1, { ...limits, workersPerOwner: 6 }))
    expect((await Promise.allSettled(saves)).filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('that were allowed when they were saved stay allowed when the limits are lowered', async () => {
    await save('a1', 10, { workersPerEndpoint: 10, workersPerOwner: 0 })
    const lowered = { workersPerEndpoint: 5, workersPerOwner: 3 }
    await save('a1', 10, lowered)
    await save('a1', 8, lowered)
    await expect(save('a1', 9, lowered)).rejects.toThrow('An endpoint has at most 5 workers')
  })
})
