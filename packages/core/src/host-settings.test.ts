import { HostConfig, type Gpu, type HostInventory } from '@runyard/schema'
import { expect, test } from 'vitest'
import { createGpuCatalogue } from './gpu-catalogue.ts'
import { asConfigured, configuredCordon, twinOf } from './host-settings.ts'

const GIB = 2 ** 30
const card = (uuid: string): Gpu => ({ uuid, name: 'NVIDIA L4', memoryBytes: 24 * GIB, simulated: false, healthy: true })
const found: HostInventory = {
  hostId: 'h',
  kind: 'docker',
  capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
  cpuCount: 16,
  memoryBytes: 64 * GIB,
  gpus: [card('GPU-a'), card('GPU-b'), card('GPU-c')],
  cudaVersion: '12.8',
}
const catalogue = createGpuCatalogue()
const configured = (config: object) => asConfigured(found, HostConfig.parse({ kind: 'docker', ...config }), { catalogue })

test('without a configuration a host offers what it has, each GPU under its type', () => {
  const gpus = found.gpus.map((gpu) => ({ ...gpu, pool: 'AMPERE_24' }))
  expect(asConfigured(found, undefined, { catalogue })).toEqual({ ...found, gpus })
})

test('limits make a host smaller and never larger', () => {
  const limits = { workers: 3, memoryBytes: 32 * GIB, cpus: 64 }
  expect(configured({ labels: { rack: 'b' }, limits })).toMatchObject({
    cpuCount: 16,
    memoryBytes: 32 * GIB,
    maxWorkers: 3,
    labels: { rack: 'b' },
  })
})

test('a host is what its configuration calls it: its data center, shared volumes, its own reserve and limits of memory', () => {
  const given = {
    dataCenter: 'EU-RO-1',
    volumes: { shared: true, path: '/srv/volumes' },
    reservedMemoryBytes: GIB,
    gpuMemoryBytes: 8 * GIB,
  }
  expect(configured(given)).toMatchObject({
    dataCenterId: 'EU-RO-1',
    volumes: { shared: true },
    reservedMemoryBytes: GIB,
    gpuMemoryBytes: 8 * GIB,
  })
})

test('a host with the identity of another one is refused with what to do', () => {
  expect(twinOf('gpu-box')).toMatch(/^it has the engine identity of gpu-box; .* delete .*engine-id on the copy and restart Docker/u)
})

test.each([
  [1, ['GPU-c']],
  [9, ['GPU-a', 'GPU-b', 'GPU-c']],
  [['GPU-b', 'GPU-elsewhere'], ['GPU-b']],
])('a reserve of %j keeps %j', (gpus, kept) => {
  const inventory = configured({ reserve: { gpus } })
  expect(inventory.gpus.filter(({ reserved }) => reserved).map(({ uuid }) => uuid)).toEqual(kept)
  expect(inventory.gpus).toHaveLength(3)
})

test('a reserve of memory is noted on every GPU, simulated ones included', () => {
  const { gpus } = configured({ reserve: { gpuMemoryMib: 512 }, simulatedGpus: 'NVIDIA A40' })
  expect(gpus.map(({ reservedBytes }) => reservedBytes)).toEqual(Array(4).fill(GIB / 2))
})

test('a host’s own simulated GPUs replace those of every host', () => {
  const config = HostConfig.parse({ kind: 'process', simulatedGpus: 'NVIDIA L4:2' })
  const names = (own: HostConfig | undefined) =>
    asConfigured({ ...found, gpus: [] }, own, { catalogue, simulatedGpus: 'NVIDIA A40' }).gpus.map(({ name }) => name)
  expect(names(config)).toEqual(['NVIDIA L4', 'NVIDIA L4'])
  expect(names(undefined)).toEqual(['NVIDIA A40'])
})

test('a cordon in the configuration has its reason', () => {
  const cordon = (value: boolean | string) => configuredCordon({ cordon: value }, 5)
  expect(cordon(true)).toEqual({ since: 5, reason: 'by its configuration' })
  expect(cordon('a fan fails')).toEqual({ since: 5, reason: 'a fan fails' })
  expect(cordon(false)).toBeUndefined()
})
