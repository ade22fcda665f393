import type { Gpu, HostInventory } from '@runyard/schema'
import { endpointRecord } from '@runyard/testing/records'
import { expect, test } from 'vitest'
import { cpuInstanceId, cpuSharesOf, parseCpuInstanceId } from './cpu-request.ts'
import { parseGpuIds } from './gpu-request.ts'
import { CONTAINERS } from './testing/plan-fixture.ts'
import { modelKey, modelNeeds } from './model-placement.ts'
import { place, type Holding, type OpenHost } from './placement.ts'
import { createGpuCatalogue } from './gpu-catalogue.ts'
import { parseSimulatedGpus, withSimulatedGpus } from './simulated-gpus.ts'

function card(uuid: string, name: string, change: Partial<Gpu> = {}): Gpu {
  return { uuid, name, memoryBytes: 24e9, simulated: false, healthy: true, ...change }
}

function machine(hostId: string, gpus: readonly Gpu[], change: Partial<HostInventory> = {}): HostInventory {
  return {
    hostId,
    kind: 'docker',
    capabilities: CONTAINERS,
    cpuCount: 4,
    memoryBytes: 16e9,
    gpus: [...gpus],
    cudaVersion: '12.4',
    ...change,
  }
}

function onGpu(text: string, count = 1, change: Record<string, unknown> = {}) {
  return { image: 'mine/worker:1', gpu: { ...parseGpuIds(text), count, allowedCudaVersions: [], ...change }, cpu: null }
}

const onCpu = (...instanceIds: string[]) => ({ image: 'mine/worker:1', gpu: null, cpu: { instanceIds } })
const holding = (change: Partial<Holding>): Holding => ({ hostId: 'h1', gpuUuids: [], cpus: 0, memoryBytes: 0, ...change })

test('a worker goes to the first host with enough free GPUs, in the request’s order of pools', () => {
  const hosts = [machine('h1', [card('a', 'NVIDIA L4')]), machine('h2', [card('b', 'NVIDIA L4'), card('c', 'NVIDIA GeForce RTX 4090')])]
  expect(place(onGpu('ADA_24,AMPERE_24'), hosts, [holding({ gpuUuids: ['a'] })])).toMatchObject({ hostId: 'h2', gpus: [{ uuid: 'c' }] })
})

const A5000 = 'NVIDIA RTX A5000'
const images = (...names: string[]) => ({ images: new Set(names) })

test.each<[string, ReturnType<typeof onGpu>, readonly OpenHost[], string]>([
  [
    'the request’s order of pools comes before everything else',
    onGpu('ADA_24,AMPERE_24'),
    [{ ...machine('h1', [card('a', A5000)]), ...images('mine/worker:1') }, machine('h2', [card('b', 'NVIDIA GeForce RTX 4090')])],
    'b',
  ],
  [
    'of hosts with the same pool, one that has the image',
    onGpu('AMPERE_24'),
    [machine('h1', [card('a', A5000), card('b', A5000)]), { ...machine('h2', [card('c', A5000)]), ...images('mine/worker:1') }],
    'c',
  ],
  [
    'an image of another name does not count',
    onGpu('AMPERE_24'),
    [machine('h1', [card('a', A5000)]), { ...machine('h2', [card('b', A5000)]), ...images('mine/worker:2') }],
    'a',
  ],
  [
    'the least memory that fits, where the order of pools does not decide',
    onGpu('any'),
    [machine('h1', [card('a', 'NVIDIA H200', { memoryBytes: 141e9 }), card('b', 'NVIDIA GeForce RTX 4090')])],
    'b',
  ],
  [
    'the host with the most free GPUs',
    onGpu('AMPERE_24'),
    [machine('h1', [card('busy', A5000), card('a', A5000)]), machine('h2', [card('b', A5000), card('c', A5000)])],
    'b',
  ],
  ['between equals the first host', onGpu('AMPERE_24'), [machine('h1', [card('a', A5000)]), machine('h2', [card('b', A5000)])], 'a'],
])('a worker gets: %s', (_, spec, hosts, uuid) => {
  expect(place(spec, hosts, [holding({ gpuUuids: ['busy'] })])).toMatchObject({ gpus: [{ uuid }] })
})

test('a worker goes where most of its models are or are being fetched, even if the image is elsewhere', () => {
  const [small, large] = [
    { repo: 'meta/small', ref: 'main', commit: 'a', sizeBytes: 1e9, needsToken: false },
    { repo: 'meta/large', ref: 'main', commit: 'b', sizeBytes: 9e9, needsToken: true },
  ]
  const needs = modelNeeds({ ownerId: 'owner', spec: endpointRecord('ep', { spec: { models: [small, large] } }).spec })
  const has = (...keys: string[]) => ({ models: new Set(keys) })
  const [h1, h2] = [machine('h1', [card('a', A5000)]), machine('h2', [card('b', A5000)])]
  const hostFor = (...hosts: OpenHost[]) => place({ ...onGpu('AMPERE_24'), modelNeeds: needs }, hosts, [])
  const withSmall = { ...h1, ...images('mine/worker:1'), ...has(modelKey(small, 'anybody')) }
  expect(hostFor(withSmall, { ...h2, ...has(modelKey(large, 'owner')) })).toMatchObject({ hostId: 'h2' })
  // What needs a token is of its owner alone.
  expect(hostFor(withSmall, { ...h2, ...has(modelKey(large, 'other')) })).toMatchObject({ hostId: 'h1' })
  expect(hostFor({ ...h1, roomBytes: 5e9 }, { ...h2, roomBytes: 50e9 })).toMatchObject({ hostId: 'h2' })
  expect(hostFor({ ...h1, roomBytes: 5e9 })).toMatchObject({ hostId: 'h1' })
  const onCpus = { ...onCpu('cpu3c-2-4'), modelNeeds: needs }
  expect(place(onCpus, [h1, { ...h2, ...has(modelKey(small, 'owner')) }], [])).toMatchObject({ hostId: 'h2' })
})

test('a CPU worker goes to a host with its image, then to the least loaded one', () => {
  const [h1, h2] = [machine('h1', []), machine('h2', [])]
  const loaded = [holding({ cpus: 2 })]
  expect(place(onCpu('cpu3c-2-4'), [h1, h2], loaded)).toMatchObject({ hostId: 'h2' })
  expect(place(onCpu('cpu3c-2-4'), [{ ...h1, ...images('mine/worker:1') }, h2], loaded)).toMatchObject({ hostId: 'h1' })
})

test('all GPUs of a worker are of one model on one host', () => {
  const mixed = machine('h1', [card('a', 'NVIDIA L4'), card('b', 'NVIDIA RTX A5000')])
  const pair = machine('h2', [card('c', 'NVIDIA RTX A5000'), card('d', 'NVIDIA L4'), card('e', 'NVIDIA RTX A5000')])
  expect(place(onGpu('AMPERE_24', 2), [mixed, pair], [])).toMatchObject({ hostId: 'h2', gpus: [{ uuid: 'c' }, { uuid: 'e' }] })
})

test.each<[string, ReturnType<typeof onGpu>, readonly HostInventory[], string, string]>([
  ['no host', onGpu('ADA_24'), [], 'no_host', 'no host is configured or reachable'],
  [
    'another model',
    onGpu('ADA_24'),
    [machine('h1', [card('a', 'NVIDIA L4')])],
    'no_matching_gpu',
    'no host has a GPU of the requested types: wanted NVIDIA GeForce RTX 4090, hosts have NVIDIA L4',
  ],
  [
    'no card at all',
    onGpu('ADA_24'),
    [machine('h1', [])],
    'no_matching_gpu',
    'no host has a GPU of the requested types: wanted NVIDIA GeForce RTX 4090, hosts have no GPU',
  ],
  [
    'all in use',
    onGpu('AMPERE_24'),
    [machine('h1', [card('busy', 'NVIDIA L4')])],
    'gpus_busy',
    'all 1 GPUs that match AMPERE_24 are in use',
  ],
  [
    'too many wanted',
    onGpu('AMPERE_24', 2),
    [machine('h1', [card('a', 'NVIDIA L4')])],
    'no_matching_gpu',
    "no host has 2 × AMPERE_24: one worker's GPUs must be of one model on one host",
  ],
  [
    'a faulty card',
    onGpu('AMPERE_24'),
    [machine('h1', [card('a', 'NVIDIA L4', { healthy: false, fault: 'fell off the bus' })])],
    'no_matching_gpu',
    'every GPU of the requested types has a fault: fell off the bus',
  ],
  [
    'a faulty card without a word',
    onGpu('AMPERE_24'),
    [machine('h1', [card('a', 'NVIDIA L4', { healthy: false })])],
    'no_matching_gpu',
    'every GPU of the requested types has a fault: NVIDIA L4',
  ],
  [
    'no driver',
    onGpu('AMPERE_24', 1, { minCudaVersion: '12.8' }),
    [machine('h1', [card('a', 'NVIDIA L4')], { cudaVersion: null })],
    'no_matching_gpu',
    "no host's driver has the CUDA version that the endpoint asks for: hosts have none",
  ],
  [
    'an old driver',
    onGpu('AMPERE_24', 1, { minCudaVersion: '12.8' }),
    [machine('h1', [card('a', 'NVIDIA L4')])],
    'no_matching_gpu',
    "no host's driver has the CUDA version that the endpoint asks for: hosts have 12.4",
  ],
])('placement is refused with a reason: %s', (_, spec, hosts, reason, message) => {
  expect(place(spec, hosts, [holding({ gpuUuids: ['busy'] })])).toEqual({ kind: 'refused', reason, message })
})

test('a simulated GPU needs no driver', () => {
  const host = withSimulatedGpus(machine('h1', [], { cudaVersion: null }), parseSimulatedGpus('NVIDIA L4'), createGpuCatalogue())
  expect(place(onGpu('AMPERE_24', 1, { minCudaVersion: '12.8' }), [host], [])).toMatchObject({ kind: 'placed' })
})

test('a CPU worker gets the first size that fits, with at most the host’s CPUs', () => {
  expect(place(onCpu('cpu3g-8-32', 'cpu5c-8-16'), [machine('h1', [])], [])).toMatchObject({ cpus: 4, memoryBytes: 16e9 })
})

test('a GPU worker gets its GPUs’ share of the unreserved memory', () => {
  const four = ['a', 'b', 'c', 'd'].map((uuid) => card(uuid, 'NVIDIA L4'))
  const memoryOf = (count: number, change: Partial<HostInventory>) => {
    const placed = place(onGpu('AMPERE_24', count), [machine('h1', four, change)], [])
    return placed.kind === 'placed' ? placed.memoryBytes : placed.message
  }
  const gib = 2 ** 30
  expect(memoryOf(1, { memoryBytes: 258 * gib })).toBe(64 * gib)
  expect(memoryOf(2, { memoryBytes: 258 * gib })).toBe(128 * gib)
  expect(memoryOf(4, { memoryBytes: 4 * gib })).toBe(3 * gib)
  expect(memoryOf(1, { memoryBytes: 258 * gib, reservedMemoryBytes: 58 * gib })).toBe(50 * gib)
  expect(memoryOf(2, { memoryBytes: 258 * gib, gpuMemoryBytes: 10 * gib })).toBe(20 * gib)
  expect(memoryOf(1, { memoryBytes: 258 * gib, gpuMemoryBytes: 0 })).toBeUndefined()
})

test('a GPU worker’s CPU weight follows its GPUs, within the engine’s bounds', () => {
  const cards = (count: number) => Array.from({ length: count }, (_, index) => card(`${index}`, 'NVIDIA L4'))
  expect(cpuSharesOf(1, { cpuCount: 16, gpus: cards(4) })).toBe(4096)
  expect(cpuSharesOf(4, { cpuCount: 16, gpus: cards(4) })).toBe(16_384)
  expect(cpuSharesOf(1, { cpuCount: 1024, gpus: cards(1) })).toBe(262_144)
  expect(cpuSharesOf(0, { cpuCount: 16, gpus: cards(4) })).toBeUndefined()
})

test('limits may be overcommitted up to a factor', () => {
  const hosts = [machine('h1', [])]
  expect(place(onCpu('cpu3g-2-8'), hosts, [holding({ memoryBytes: 56e9 })])).toMatchObject({ kind: 'placed' })
  expect(place(onCpu('cpu3g-2-8'), hosts, [holding({ memoryBytes: 57e9 })])).toMatchObject({ reason: 'not_enough_memory' })
  expect(place(onCpu('cpu3c-2-4'), hosts, [holding({ cpus: 15 })])).toMatchObject({ reason: 'not_enough_cpu' })
  expect(place(onCpu('cpu3g-8-32'), hosts, [])).toEqual({
    kind: 'refused',
    reason: 'not_enough_memory',
    message: 'no host has enough free memory for a cpu3g-8-32 worker: h1 has 16.0 GB',
  })
})

test('an endpoint without GPU and CPU request goes to the first host without limits', () => {
  expect(place({ image: 'mine/worker:1', gpu: null, cpu: null }, [machine('h1', [])], [])).toEqual({
    kind: 'placed',
    hostId: 'h1',
    gpus: [],
    cpus: undefined,
    memoryBytes: undefined,
  })
})

test('an endpoint without GPU and CPU request goes to a host with its image', () => {
  const hosts = ['h1', 'h2', 'h3'].map((id) => ({ ...machine(id, []), ...images(...(id === 'h2' ? ['mine/worker:1'] : [])) }))
  expect(place({ image: 'mine/worker:1', gpu: null, cpu: null }, hosts, [])).toMatchObject({ hostId: 'h2' })
})

test('a GPU is attached with its pool, where it has one', () => {
  const pool = 'AMPERE_24'
  expect(place(onGpu(A5000), [machine('h1', [card('a', A5000, { pool })])], [])).toMatchObject({ gpus: [{ uuid: 'a', pool }] })
})

test('a refusal for a volume names the host that has its data, by its label where it is known', () => {
  const volume = (storeId: string) => [[{ id: 'v', name: 'models', dataCenterId: 'US-CA-2', storeId }]]
  const hosts = [machine('h1', [], { label: 'gpu-box' })]
  const messageFor = (storeId: string) => {
    const placed = place({ ...onCpu('cpu3c-2-4'), volumes: volume(storeId) }, hosts, [])
    return placed.kind === 'refused' ? placed.message : placed.kind
  }
  expect(messageFor('host h1')).toBe('no host has the volume "models" (its data is on the host gpu-box): gpu-box')
  expect(messageFor('host h9')).toBe('no host has the volume "models" (its data is on the host h9): gpu-box')
})

test('the id of a CPU instance is written with the memory of its flavor', () => {
  expect(['cpu3g', 'cpu3c', 'cpu5m', 'cpu9x'].map((flavor) => cpuInstanceId(flavor, 2))).toEqual([
    'cpu3g-2-8',
    'cpu3c-2-4',
    'cpu5m-2-16',
    'cpu9x-2-4',
  ])
  expect(cpuInstanceId('cpu3g', 2, 32)).toBe('cpu3g-2-32')
})

test('a CPU instance id contains its size', () => {
  expect(parseCpuInstanceId('cpu3g-2-8')).toEqual({ instanceId: 'cpu3g-2-8', cpus: 2, memoryBytes: 8e9 })
  for (const bad of ['cpu3g', 'gpu-2-8', 'cpu3g-0-8', 'cpu3g-2-8-1'])
    expect(() => parseCpuInstanceId(bad)).toThrow('Invalid CPU instance id')
})

test('simulated GPUs are declared as name and count', () => {
  expect(parseSimulatedGpus('NVIDIA GeForce RTX 4090:2, NVIDIA L4')).toEqual([
    { name: 'NVIDIA GeForce RTX 4090', count: 2 },
    { name: 'NVIDIA L4', count: 1 },
  ])
  expect(parseSimulatedGpus(undefined)).toEqual([])
  expect(() => parseSimulatedGpus('NVIDIA L4:many')).toThrow(
    'simulatedGpus is written like "NVIDIA GeForce RTX 4090:2,NVIDIA L4:1"; "NVIDIA L4:many" is not.',
  )
  const { gpus } = withSimulatedGpus(machine('h1', [card('real', 'NVIDIA L4')]), [{ name: 'NVIDIA L4', count: 2 }], createGpuCatalogue())
  expect(gpus.map(({ uuid, simulated }) => [uuid, simulated])).toEqual([
    ['real', false],
    ['GPU-simulated-h1-0', true],
    ['GPU-simulated-h1-1', true],
  ])
})

test('an image with its own handler needs a container host, and is refused without one', () => {
  const processes = machine('here', [], { kind: 'process', capabilities: { ...CONTAINERS, runsImages: false } })
  expect(place(onCpu('cpu3g-2-8'), [processes, machine('h2', [])], [])).toMatchObject({ kind: 'placed', hostId: 'h2' })
  expect(place({ ...onCpu('cpu3g-2-8'), image: 'runpod/queue:py3.12-latest' }, [processes], [])).toMatchObject({ hostId: 'here' })
  expect(place(onCpu('cpu3g-2-8'), [processes], [])).toEqual({
    kind: 'refused',
    reason: 'no_container_host',
    message:
      'the image mine/worker:1 brings its own handler, which needs a Docker host; here runs processes only: start Docker, then Runyard again',
  })
})

const GIB = 2 ** 30
const reserving = (gib: number, name = 'NVIDIA L4') => card('a', name, { memoryBytes: 24 * GIB, reservedBytes: gib * GIB })

test.each<[string, ReturnType<typeof onGpu>, Gpu, boolean]>([
  ['a small reserve changes nothing', onGpu('AMPERE_24'), reserving(3), true],
  ['a pool keeps its promise', onGpu('AMPERE_24'), reserving(4), false],
  ['any GPU accepts what is left', onGpu('any'), reserving(20), true],
  ['so does a request for the type by its name', onGpu('NVIDIA L4'), reserving(20), true],
  ['a card without any memory left goes to no worker', onGpu('any'), reserving(24), false],
  ['a type that no pool has accepts what is left', onGpu('NVIDIA TITAN Z'), reserving(20, 'NVIDIA TITAN Z'), true],
])('memory that the host’s configuration leaves to others: %s', (_, wanted, gpu, fits) => {
  expect(place(wanted, [machine('h1', [gpu])], []).kind).toBe(fits ? 'placed' : 'refused')
})

test('the refusal names the reserve', () => {
  expect(place(onGpu('AMPERE_24'), [machine('h1', [reserving(20)])], [])).toEqual({
    kind: 'refused',
    reason: 'no_matching_gpu',
    message:
      'too little memory is left of every GPU of the requested types: 20 GiB of the 24 GiB of NVIDIA L4 are reserved (reserve.gpuMemoryMib)',
  })
})

test('the least usable memory that fits is chosen', () => {
  const hosts = [machine('h1', [card('a', 'NVIDIA L4')]), machine('h2', [card('b', 'NVIDIA L4', { reservedBytes: GIB })])]
  expect(place(onGpu('AMPERE_24'), hosts, [])).toMatchObject({ gpus: [{ uuid: 'b' }] })
})
