// Volumes in REST v1, REST v2 and GraphQL (flash-api §4.3, management §2.3, §3.5, sdk2-api §3.7), and the data centers that they are in.
import type { HostInventory } from '@runyard/schema'
import { describe, expect } from 'vitest'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { it, opened, user } from '../testing/management-test.ts'

const PAGE = { hasNextPage: false, nextCursor: null }
const QUEUE = { ...QUEUE_BODY, name: 'q', image: 'x:1' }
const SAVE =
  'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id networkVolumeIds { networkVolumeId } networkVolume { id name size } } }'

async function add(name = 'models', more: Record<string, unknown> = {}): Promise<string> {
  const { status, json } = await user.rest('POST', '/v1/networkvolumes', { name, size: 50, dataCenterId: 'EU-RO-1', ...more })
  expect({ status, json }).toMatchObject({ status: 200, json: { name } })
  return String(json['id'])
}

function putHost(hostId: string, dataCenterId: string | undefined, gpus: readonly string[]): Promise<void> {
  const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
  const inventory: HostInventory = {
    hostId,
    kind: 'docker',
    capabilities,
    cpuCount: 4,
    memoryBytes: 1,
    gpus: gpus.map((name, n) => ({ uuid: `GPU-${n}`, name, memoryBytes: 1, simulated: false, healthy: true })),
    cudaVersion: null,
    ...(dataCenterId === undefined ? {} : { dataCenterId }),
  }
  return opened.store.hosts.putSight(hostId, { health: 'ready', label: hostId, kind: 'docker', at: 1, inventory, claims: {} })
}

describe('network volumes', () => {
  it.each(['/v1', '/rest/v1'])('are made, listed, changed and deleted over REST v1 below %s, with four members each', async (prefix) => {
    const volume = { name: 'models', size: 50, dataCenterId: 'EU-RO-1' }
    const made = await user.rest('POST', `${prefix}/networkvolumes`, volume)
    const id = made.json['id']
    expect(made).toEqual({ status: 200, json: { id, ...volume } })
    expect((await user.rest('GET', `${prefix}/networkvolumes`)).json).toEqual([{ id, ...volume }])
    expect((await user.rest('PATCH', `${prefix}/networkvolumes/${id}`, { size: 60 })).json).toEqual({ id, ...volume, size: 60 })
    expect(await user.rest('DELETE', `${prefix}/networkvolumes/${id}`)).toEqual({ status: 204, json: {} })
    expect((await user.rest('GET', `${prefix}/networkvolumes/${id}`)).status).toBe(404)
  })

  it('are made, listed, changed and deleted over REST v2', async () => {
    const made = await user.rest('POST', '/v2/network-volumes', {
      name: 'models',
      size: 50,
      dataCenter: 'EU-RO-1',
      type: 'HIGH_PERFORMANCE',
    })
    const volume = { id: made.json['id'], name: 'models', size: 50, dataCenter: 'EU-RO-1', type: 'HIGH_PERFORMANCE' }
    expect(made).toEqual({ status: 201, json: volume })
    expect((await user.rest('GET', '/v2/network-volumes')).json).toEqual({ networkVolumes: [volume], pagination: PAGE })
    expect((await user.rest('PATCH', `/v2/network-volumes/${volume.id}`, { name: 'm' })).json).toEqual({ ...volume, name: 'm' })
    expect((await user.rest('DELETE', `/v2/network-volumes/${volume.id}`)).status).toBe(204)
  })

  it('are seen by their owner alone', async () => {
    const id = await add()
    const other = await opened.userOf('other')
    expect((await other.rest('GET', '/v1/networkvolumes')).json).toEqual([])
    expect((await other.rest('DELETE', `/v1/networkvolumes/${id}`)).status).toBe(404)
    expect((await other.rest('POST', '/v2/serverless', { ...QUEUE, networkVolumes: [id] })).json['detail']).toContain('does not exist')
  })

  it('are one volume for clients that create the same one; another size is a conflict, another data center is not', async () => {
    await putHost('one', undefined, [])
    await putHost('two', 'US-CA-2', [])
    const id = await add()
    expect(await add()).toBe(id)
    expect(await add('models', { dataCenterId: 'US-CA-2' })).not.toBe(id)
    const { status, json } = await user.rest('POST', '/v1/networkvolumes', { name: 'models', size: 90, dataCenterId: 'EU-RO-1' })
    expect(status).toBe(409)
    expect(json['message']).toContain(`A network volume "models" in EU-RO-1 exists already (id ${id}, 50 GB)`)
  })

  it.each([
    ['a data center that no client knows', { dataCenterId: 'MARS-1' }, 'a data center is one of US-CA-2'],
    ['a data center without hosts', { dataCenterId: 'US-CA-2' }, 'No host is in the data center US-CA-2: hosts are in EU-RO-1.'],
    ['no size', { size: undefined }, 'size'],
    ['a size of 5 TB', { size: 5000 }, '4096'],
    ['an empty name', { name: ' ' }, 'The name of a volume must not be empty.'],
  ])('with %s are refused', async (_what, change, sentence) => {
    const body = { name: 'models', size: 50, dataCenterId: 'EU-RO-1', ...change }
    const { status, json } = await user.rest('POST', '/v1/networkvolumes', body)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(json)).toContain(sentence)
    expect((await user.rest('GET', '/v1/networkvolumes')).json).toEqual([])
  })

  it('do not shrink', async () => {
    const { json } = await user.rest('PATCH', `/v2/network-volumes/${await add()}`, { size: 40 })
    expect(json['detail']).toBe('A volume only grows: it has 50 GB, and 40 GB was given.')
  })

  it('cannot be deleted while an endpoint uses them, in any dialect', async () => {
    const id = await add()
    const { json } = await user.rest('POST', '/v2/serverless', { ...QUEUE, networkVolumes: [id] })
    expect(json['networkVolumes']).toEqual([id])
    const refused = 'The network volume "models" in EU-RO-1 is used by the endpoint "q"; delete them or give them another volume first.'
    expect(await user.rest('DELETE', `/v2/network-volumes/${id}`)).toMatchObject({ status: 409, json: { detail: refused } })
    expect(await user.rest('DELETE', `/v1/networkvolumes/${id}`)).toMatchObject({ status: 409, json: { message: refused } })
    expect(await opened.store.volumes.removals()).toEqual([])
    await user.rest('DELETE', `/v2/serverless/${json['id']}`)
    expect((await user.rest('DELETE', `/v2/network-volumes/${id}`)).status).toBe(204)
    expect(await opened.store.volumes.removals()).toMatchObject([{ id, name: 'models', ownerId: 'owner' }])
  })

  it('are named by endpoints of GraphQL, which show them', async () => {
    const id = await add()
    const input = { name: 'g', gpuIds: 'ADA_24', networkVolumeIds: [{ networkVolumeId: id }], template: { name: 't', imageName: 'x' } }
    expect(await user.graphql(SAVE, { input })).toMatchObject({
      saveEndpoint: { networkVolumeIds: [{ networkVolumeId: id }], networkVolume: { id, name: 'models', size: 50 } },
    })
    expect(await user.graphql('{ myself { networkVolumes { id name size dataCenterId } } }')).toEqual({
      myself: { networkVolumes: [{ id, name: 'models', size: 50, dataCenterId: 'EU-RO-1' }] },
    })
  })
})

describe('global volumes', () => {
  it('are made and listed over REST v2 and GraphQL, apart from network volumes, also of the same name', async () => {
    await add('shared')
    const { status, json } = await user.rest('POST', '/v2/global-volumes', { name: 'shared' })
    const volume = { id: json['id'], name: 'shared' }
    expect({ status, json }).toEqual({ status: 201, json: volume })
    expect((await user.rest('GET', '/v2/global-volumes')).json).toEqual({ globalVolumes: [volume], pagination: PAGE })
    expect(await user.graphql('mutation { globalStoreBucketCreate(input: {name: "shared"}) { id } }')).toEqual({
      globalStoreBucketCreate: { id: volume.id },
    })
    expect(await user.graphql('{ myself { globalStoreBuckets { id name } networkVolumes { name } } }')).toEqual({
      myself: { globalStoreBuckets: [volume], networkVolumes: [{ name: 'shared' }] },
    })
  })

  it('are mounted by endpoints of SDK 2, which cannot lose them while they are used', async () => {
    const { json } = await user.rest('POST', '/v2/global-volumes', { name: 'shared' })
    const volumes = [{ volumeId: json['id'], volumeType: 'OBJECT_STORE_VOLUME' }]
    const input = { name: 'g', gpuIds: 'ADA_24', networkVolumeIds: [], volumes, template: { name: 't', imageName: 'x' } }
    expect(await user.graphql(SAVE, { input })).toMatchObject({ saveEndpoint: { id: expect.any(String) } })
    expect((await opened.store.endpoints.list())[0]?.spec.networkVolumeIds).toEqual([json['id']])
    expect((await user.rest('DELETE', `/v2/global-volumes/${String(json['id'])}`)).status).toBe(409)
  })
})

describe('data centers', () => {
  const gpus = async (id: string) =>
    (await user.rest('GET', `/v2/catalog/gpus/${encodeURIComponent(id)}?include=AVAILABILITY&product=SERVERLESS`)).json

  it('are those of the hosts, and each lists what its hosts have', async () => {
    await putHost('one', undefined, ['NVIDIA L4'])
    await putHost('two', 'US-CA-2', ['NVIDIA A40'])
    const { json } = await user.rest('GET', '/v2/catalog/datacenters')
    expect(json).toMatchObject({
      dataCenters: [
        {
          id: 'EU-RO-1',
          name: 'EU-RO-1',
          region: 'EUROPE',
          globalNetwork: false,
          networkVolumeTypes: ['STANDARD', 'HIGH_PERFORMANCE'],
          compliance: [],
        },
        { id: 'US-CA-2' },
      ],
      pagination: PAGE,
    })
    const high = (id: string) => [{ id, name: id, availability: 'HIGH' }]
    expect(await gpus('NVIDIA L4')).toMatchObject({ dataCenters: high('EU-RO-1') })
    expect(await gpus('NVIDIA A40')).toMatchObject({ dataCenters: high('US-CA-2') })
    expect((await user.rest('GET', '/v2/catalog/cpus/cpu3g?include=AVAILABILITY&vcpuCount=2')).json).toMatchObject({
      id: 'cpu3g',
      availability: 'HIGH',
      dataCenters: [{ id: 'EU-RO-1' }, { id: 'US-CA-2' }],
    })
    expect((await user.rest('GET', '/v2/catalog/datacenters/US-CA-2?include=AVAILABILITY')).json).toMatchObject({
      gpuAvailability: [{ id: 'NVIDIA A40', availability: 'HIGH' }],
    })
    expect((await user.rest('GET', '/v2/catalog/datacenters/US-WA-1')).status).toBe(404)
  })

  it('are one by default, before any host was read', async () => {
    expect((await user.rest('GET', '/v2/catalog/datacenters')).json).toMatchObject({ dataCenters: [{ id: 'EU-RO-1' }] })
    expect(await gpus('NVIDIA L4')).toMatchObject({ dataCenters: [{ id: 'EU-RO-1', availability: 'HIGH' }] })
  })

  it('are listed by runpodctl over GraphQL', async () => {
    await putHost('one', undefined, ['NVIDIA L4'])
    const query = '{ dataCenters { id name location gpuAvailability { gpuTypeId displayName stockStatus } } }'
    expect(await user.graphql(query)).toEqual({
      dataCenters: [
        {
          id: 'EU-RO-1',
          name: 'EU-RO-1',
          location: 'EU',
          gpuAvailability: [{ gpuTypeId: 'NVIDIA L4', displayName: 'L4', stockStatus: 'High' }],
        },
      ],
    })
  })
})

describe('all volumes', () => {
  it('are listed with the place of their data and who uses them, to their owner alone', async () => {
    const id = await add()
    const global = await user.rest('POST', '/v2/global-volumes', { name: 'everywhere' })
    const endpoint = await user.rest('POST', '/v2/serverless', { ...QUEUE, networkVolumes: [id] })
    await putHost('docker:abc', undefined, [])
    await opened.store.volumes.claim(id, 'host docker:abc')
    const createdAt = expect.any(String) as string
    const users = [{ id: endpoint.json['id'], name: 'q' }]
    expect((await user.rest('GET', '/runyard/v1/volumes')).json).toEqual({
      volumes: [
        { id, name: 'models', kind: 'STANDARD', size: 50, dataCenter: 'EU-RO-1', place: 'docker:abc', endpoints: users, createdAt },
        { id: global.json['id'], name: 'everywhere', kind: 'GLOBAL', size: null, dataCenter: null, place: null, endpoints: [], createdAt },
      ],
      pagination: PAGE,
    })
    expect((await (await opened.userOf('other')).rest('GET', '/runyard/v1/volumes')).json).toMatchObject({ volumes: [] })
  })
})
