// Tasks of SDK 2 in GraphQL and REST v2, as rc2 sends them (sdk2-api §4.6, production §3.8).
import { expect } from 'vitest'
import { it, opened, user } from '../testing/management-test.ts'

const CPU = 'mutation($input: deployCpuPodInput!) { deployCpuPod(input: $input) { id desiredStatus } }'
const GPU = 'mutation($input: PodFindAndDeployOnDemandInput!) { podFindAndDeployOnDemand(input: $input) { id desiredStatus } }'
const COMMON = {
  name: 'task-train-0123abcd',
  imageName: 'runpod/task:py3.12-latest',
  ports: '8080/http',
  containerDiskInGb: 10,
  supportPublicIp: true,
  env: [
    { key: 'RUNPOD_TASK_TOKEN', value: 'secret' },
    { key: 'RUNPOD_TASK_PORT', value: '8080' },
  ],
  dataCenterIds: ['EU-RO-1', 'US-CA-2'],
  volumeMounts: [],
}

async function start(query = CPU, more: Record<string, unknown> = { instanceId: 'cpu3c-2-4' }): Promise<string> {
  const found = (await user.graphql(query, { input: { ...COMMON, ...more } })) as Record<string, { id: string; desiredStatus: string }>
  const [pod] = Object.values(found)
  expect(pod?.desiredStatus).toBe('RUNNING')
  return pod?.id ?? ''
}

it('are started by the recorded calls; the id leads the client to this gateway', async () => {
  const id = await start()
  expect(id).toMatch(/^localhost:\d+\/t\/[a-z0-9]{14}$/)
  const [task] = await opened.store.endpoints.list()
  expect(task).toMatchObject({
    name: COMMON.name,
    type: 'LOAD_BALANCER',
    settings: { workersMin: 1, workersMax: 1 },
    spec: { cpu: { instanceIds: ['cpu3c-2-4'] }, env: { RUNPOD_TASK_TOKEN: 'secret', PORT: '8080' } },
  })
  expect((task?.task?.until ?? 0) - (task?.createdAt ?? 0)).toBe(86_400_000)
  await start(GPU, { name: 'task-b', gpuTypeIdList: ['NVIDIA GeForce RTX 4090'], gpuCount: 1, allowedCudaVersions: ['12.8'] })
  expect((await opened.store.endpoints.list()).map(({ spec }) => spec.gpu?.allowedCudaVersions)).toContainEqual(['12.8'])
})

it('are no endpoints for any list, and pods for the list of pods', async () => {
  const id = await start()
  const short = id.slice(id.lastIndexOf('/') + 1)
  expect((await user.rest('GET', '/v2/serverless')).json).toMatchObject({ endpoints: [] })
  expect((await user.rest('GET', '/v1/endpoints')).json).toEqual([])
  expect((await user.rest('GET', '/v2/pods')).json).toMatchObject({ pods: [{ id: short, name: COMMON.name, status: 'RUNNING' }] })
  expect((await (await opened.userOf('other')).rest('GET', '/v2/pods')).json).toMatchObject({ pods: [] })
  expect((await user.rest('GET', `/v2/pods/${encodeURIComponent(id)}`)).json).toMatchObject({ id: short })
})

it.each([
  ['its percent-encoded id', (id: string) => encodeURIComponent(id)],
  ['its short id', (id: string) => id.slice(id.lastIndexOf('/') + 1)],
])('end by DELETE with %s, once', async (_what, path) => {
  const id = await start()
  const url = `/v2/pods/${path(id)}`
  expect((await (await opened.userOf('other')).rest('DELETE', url)).status).toBe(404)
  expect((await user.rest('DELETE', url)).status).toBe(204)
  expect((await user.rest('DELETE', url)).status).toBe(404)
  expect(await opened.store.endpoints.list()).toEqual([])
})

it('end by podTerminate, which answers null', async () => {
  const id = await start()
  expect(await user.graphql('mutation($input: PodTerminateInput!) { podTerminate(input: $input) }', { input: { podId: id } })).toEqual({
    podTerminate: null,
  })
  expect(await opened.store.endpoints.list()).toEqual([])
})

it('mount the volumes that they name, and no unknown ones', async () => {
  const volumeMounts = [{ volumeId: 'v1', volumeType: 'NETWORK_VOLUME', mountPath: '/data' }]
  const input = { ...COMMON, instanceId: 'cpu3c-2-4', volumeMounts }
  expect(await user.graphql(CPU, { input })).toContain('Volume "v1" does not exist')
})

it.each([
  ['a pod of another kind', { env: [] }, 'Pods are not served here, but for the tasks of SDK 2'],
  ['an image of its own', { imageName: 'mine/task:1' }, 'A task runs on an image of runpod/task here'],
  ['a size that is none', { instanceId: 'big' }, 'Invalid CPU instance id'],
])('are refused with a sentence: %s', async (_what, change, sentence) => {
  expect(await user.graphql(CPU, { input: { ...COMMON, instanceId: 'cpu3c-2-4', ...change } })).toContain(sentence)
  expect(await opened.store.endpoints.list()).toEqual([])
})

it('are all that a pod can be: `runpodctl pod create` reads the sentence', async () => {
  const query = `mutation createPod($input: PodFindAndDeployOnDemandInput!) { podFindAndDeployOnDemand(input: $input) {
    id name imageName desiredStatus costPerHr containerDiskInGb volumeInGb volumeMountPath gpuCount memoryInGb vcpuCount ports
    lastStatusChange env machine { gpuDisplayName location } } }`
  const sizes = { containerDiskInGb: 20, gpuCount: 1, volumeInGb: 20, volumeMountPath: '/workspace', supportPublicIp: true }
  const input = { cloudType: 'SECURE', ...sizes, gpuTypeId: 'NVIDIA L4', imageName: 'y', name: 'x', ports: '22/tcp', startSsh: true }
  expect(await user.graphql(query, { input })).toContain('Pods are not served here, but for the tasks of SDK 2')
})

it('get a key that may run for their owner, and ends with them', async () => {
  const id = (await start()).replace(/.*\//u, '')
  const plain = await opened.store.keys.ofTask(id)
  expect(await opened.store.keys.ofTask(id)).toBe(plain)
  const [task] = await opened.store.endpoints.list()
  expect(await opened.store.keys.verify(plain)).toMatchObject({ ownerId: task?.ownerId, scopes: ['run'], expiresAt: task?.task?.until })
  for (const wrong of [
    plain.replace(id, 'a'.repeat(14)),
    `${plain.slice(0, -1)}!`,
    plain.replace(/_[\w-]+$/u, `_${'A'.repeat(43)}`),
    'rpt_',
  ])
    expect(await opened.store.keys.verify(wrong)).toBeUndefined()
  await user.rest('DELETE', `/v2/pods/${id}`)
  expect(await opened.store.keys.verify(plain)).toBeUndefined()
})
