import type { Gpu, HostInventory, HostRecord } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { explainPlacement, remediesOf, type Holder, type Question } from './explain-placement.ts'
import { parseGpuIds } from './gpu-request.ts'
import { place } from './placement.ts'
import { CONTAINERS, gpu, NOW } from './testing/plan-fixture.ts'

const L4 = 'NVIDIA L4'

function seen(hostId: string, gpus: readonly Gpu[], change: Partial<HostInventory> = {}, more: Partial<HostRecord> = {}): HostRecord {
  const inventory = { hostId, kind: 'docker' as const, capabilities: CONTAINERS, cpuCount: 4, memoryBytes: 16e9, cudaVersion: '12.4' }
  const sight = { health: 'ready' as const, label: `box-${hostId}`, kind: 'docker' as const, at: NOW, claims: {} }
  return { hostId, sight: { ...sight, inventory: { ...inventory, gpus: [...gpus], ...change } }, ...more }
}

function claimed(record: HostRecord, claims: Record<string, string | null>): HostRecord {
  return { ...record, ...(record.sight === undefined ? {} : { sight: { ...record.sight, claims } }) }
}

const onGpu = (text: string, change = {}) => ({
  image: 'mine/worker:1',
  gpu: { ...parseGpuIds(text), count: 1, allowedCudaVersions: [], ...change },
  cpu: null,
})
const ask = (hosts: readonly HostRecord[], change: Partial<Question> = {}) =>
  explainPlacement({ spec: onGpu('AMPERE_24'), hosts, holdings: [], holders: new Map(), now: NOW, ...change })

test('a host and a GPU that a worker could have now have no refusal', () => {
  expect(ask([seen('h1', [gpu('a', L4)])])).toEqual([{ hostId: 'h1', host: 'box-h1', gpus: [{ uuid: 'a', name: L4, simulated: true }] }])
})

const real = (change: Partial<Gpu>): Gpu => ({ ...gpu('a', L4), simulated: false, ...change })

test.each<[string, HostRecord, Partial<Question>, string]>([
  ['another type', seen('h1', [gpu('a', 'NVIDIA A40')]), {}, 'other_type'],
  ['a reserved GPU', seen('h1', [real({ reserved: true })]), {}, 'reserved'],
  ['a fault', seen('h1', [real({ healthy: false, fault: 'it fell off the bus' })]), {}, 'faulty'],
  ['memory left to others', seen('h1', [real({ reservedBytes: 12e9 })]), {}, 'memory_reserved'],
  ['an old driver', seen('h1', [real({})]), { spec: onGpu('AMPERE_24', { minCudaVersion: '12.8' }) }, 'old_driver'],
  ['no driver', seen('h1', [real({})], { cudaVersion: null }), { spec: onGpu('AMPERE_24', { minCudaVersion: '12.8' }) }, 'old_driver'],
  ['a worker of another owner', claimed(seen('h1', [gpu('a', L4)]), { a: 'w9' }), {}, 'held'],
  ['another installation', claimed(seen('h1', [gpu('a', L4)]), { a: null }), {}, 'held'],
])('a GPU refuses with a reason, and its host has too few GPUs: %s', (_, record, change, reason) => {
  const [host] = ask([record], change)
  expect(host?.gpus[0]?.refusal).toMatchObject({ reason, remedy: expect.stringMatching(/./) as string })
  expect(host?.refusal).toMatchObject({ reason: 'too_few_gpus' })
})

const rest = (what: 'host' | 'gpus') => ({ what, count: 1, lastAt: NOW, message: 'it broke.' })
const unreachable = seen('h1', [gpu('a', L4)])
const onCpu = (id: string) => ({ spec: { image: 'mine/worker:1', gpu: null, cpu: { instanceIds: [id] } } })

test.each<[string, HostRecord, Partial<Question>, string]>([
  [
    'does not answer',
    { ...unreachable, ...(unreachable.sight && { sight: { ...unreachable.sight, health: 'unreachable' } }) },
    {},
    'unreachable',
  ],
  [
    'does not have the volume',
    seen('h1', [gpu('a', L4)]),
    { spec: { ...onGpu('AMPERE_24'), volumes: [[{ id: 'v', name: 'v', dataCenterId: null, storeId: 'host h2' }]] } },
    'no_volume',
  ],
  ['has not been read yet', { hostId: 'h1', sight: { health: 'ready', label: 'box', kind: 'docker', at: NOW, claims: {} } }, {}, 'unready'],
  ['is not prepared', { ...unreachable, ...(unreachable.sight && { sight: { ...unreachable.sight, health: 'unready' } }) }, {}, 'unready'],
  ['is cordoned', seen('h1', [gpu('a', L4)], {}, { cordon: { since: 1, reason: 'a fan fails' } }), {}, 'cordoned'],
  ['rests', seen('h1', [gpu('a', L4)], {}, { rest: rest('host') }), {}, 'resting'],
  ['is full', seen('h1', [gpu('a', L4)], { maxWorkers: 0 }), {}, 'full'],
  ['runs no images', seen('h1', [gpu('a', L4)], { capabilities: { ...CONTAINERS, runsImages: false } }), {}, 'no_containers'],
  ['has no GPU', seen('h1', []), {}, 'too_few_gpus'],
  ['has one GPU where two are wanted', seen('h1', [gpu('a', L4)]), { spec: onGpu('AMPERE_24', { count: 2 }) }, 'too_few_gpus'],
  [
    'lacks the Python of the app',
    seen('h1', [], { pythons: ['3.11'] }),
    { spec: { ...onCpu('cpu3c-2-4').spec, python: '3.12' } },
    'no_python',
  ],
  ['has no Python', seen('h1', [], { pythons: [] }), { spec: { ...onCpu('cpu3c-2-4').spec, python: '3.12' } }, 'no_python'],
  [
    'lacks the container runtime',
    seen('h1', [], { runtimes: ['runc'] }),
    { spec: { ...onCpu('cpu3c-2-4').spec, runtime: 'runsc' } },
    'no_runtime',
  ],
  ['has too little memory', seen('h1', []), onCpu('cpu3g-8-32'), 'not_enough_memory'],
  ['has too few CPUs', seen('h1', [], { cpuCount: 1, memoryBytes: 64e9 }), onCpu('cpu3c-8-16'), 'not_enough_cpu'],
])('a host refuses with a reason: it %s', (_, record, change, reason) => {
  expect(ask([record], change)[0]?.refusal).toMatchObject({ reason, remedy: expect.stringMatching(/./) as string })
})

test('a host that lacks several things is refused for the first of them, by placement and by its explanation', () => {
  const spec = { ...onCpu('cpu3c-2-4').spec, python: '3.12', runtime: 'runsc' }
  const record = seen('h1', [], { pythons: ['3.11'], runtimes: ['runc'] })
  expect(ask([record], { spec })[0]?.refusal?.reason).toBe('no_python')
  expect(place(spec, record.sight?.inventory === undefined ? [] : [record.sight.inventory], [])).toMatchObject({ reason: 'no_python' })
})

test.each<[string, Partial<Question>]>([
  ['of a size that fits', onCpu('cpu3c-2-4')],
  ['of one of two sizes that fits', { spec: { image: 'mine/worker:1', gpu: null, cpu: { instanceIds: ['cpu3c-64-128', 'cpu3c-2-4'] } } }],
  ['that asks for nothing', { spec: { image: 'mine/worker:1', gpu: null, cpu: null } }],
])('a host takes a worker %s', (_, change) => {
  expect(ask([seen('h1', [])], change)).toEqual([{ hostId: 'h1', host: 'box-h1', gpus: [] }])
})

test('a host that was never seen has no verdict, and the data of a volume may be there', () => {
  const volumes = [[{ id: 'v', name: 'models', dataCenterId: null, storeId: 'host h2' }]]
  const known = ask([seen('h1', []), seen('h2', [])], { spec: { ...onCpu('cpu3c-2-4').spec, volumes } })
  expect(known[0]?.refusal?.message).toBe('the host does not have the volume "models" (its data is on the host box-h2)')
  const unknown = ask([seen('h1', []), { hostId: 'h2' }], { spec: { ...onCpu('cpu3c-2-4').spec, volumes } })
  expect(unknown.map(({ refusal }) => refusal?.message)).toEqual([
    'the host does not have the volume "models" (its data is on the host h2)',
  ])
})

test('of a host with too few GPUs, those that are free already need no remedy', () => {
  const record = claimed(seen('h1', [gpu('a', L4), gpu('b', L4)]), { a: null })
  expect(remediesOf(ask([record], { spec: onGpu('AMPERE_24', { count: 2 }) }))).toEqual(['stop that installation, or keep it off this GPU'])
})

test('GPUs of a host that failed a GPU worker rest, simulated ones do not', () => {
  const [host] = ask([seen('h1', [real({}), gpu('b', L4)], {}, { rest: rest('gpus') })])
  expect(host?.gpus.map(({ refusal }) => refusal?.reason)).toEqual(['faulty', undefined])
})

test.each<[string, Partial<Holder>, RegExp]>([
  ['of the endpoint itself', { isOwn: true }, /^add a GPU/],
  ['within the minimum of another endpoint', { isWithinMin: true }, /^lower the minimum of "other"$/],
  ['above the minimum of another endpoint', {}, /^wait: it yields .* a higher priority/],
])('what would free a GPU depends on its holder: a worker %s', (_, change, remedy) => {
  const holder = { workerId: 'w9', endpointName: 'other', isOwn: false, isWithinMin: false, ...change }
  const [host] = ask([claimed(seen('h1', [gpu('a', L4)]), { a: 'w9' })], { holders: new Map([['w9', holder]]) })
  expect(host?.gpus[0]?.refusal?.remedy).toMatch(remedy)
})

test('a host refuses exactly where placement finds no place on it', () => {
  const anyGpu = fc.record({
    name: fc.constantFrom(L4, 'NVIDIA A40'),
    healthy: fc.boolean(),
    simulated: fc.boolean(),
    reserved: fc.boolean(),
    isHeld: fc.boolean(),
  })
  const world = fc.record({
    gpus: fc.array(anyGpu, { maxLength: 4 }),
    count: fc.integer({ min: 1, max: 2 }),
    cuda: fc.constantFrom('12.4', null),
  })
  const differs = ({ gpus, count, cuda }: typeof world extends fc.Arbitrary<infer T> ? T : never): boolean => {
    const cards = gpus.map(({ isHeld: _held, ...facts }, index) => ({ ...gpu(`g${index}`), ...facts }))
    const held = gpus.flatMap(({ isHeld }, index) => (isHeld ? [`g${index}`] : []))
    const record = claimed(seen('h1', cards, { cudaVersion: cuda }), Object.fromEntries(held.map((uuid) => [uuid, 'w9'])))
    const spec = onGpu('AMPERE_24', { count, minCudaVersion: '12.2' })
    const inventory = record.sight?.inventory
    const holdings = [{ hostId: 'h1', gpuUuids: held, cpus: 0, memoryBytes: 0 }]
    const isPlaced = inventory !== undefined && place(spec, [inventory], holdings).kind === 'placed'
    return isPlaced !== (ask([record], { spec, holdings })[0]?.refusal === undefined)
  }
  const { counterexample } = fc.check(
    fc.property(world, (found) => !differs(found)),
    { numRuns: 500 },
  )
  expect(counterexample).toBeNull()
})

test('a host that no scaler has seen is not judged', () => {
  expect(ask([{ hostId: 'h1' }])).toEqual([])
})

test('remedies are those of what stands in the way, and none where a host could take the worker', () => {
  const cordoned = seen('h1', [gpu('a', L4)], {}, { cordon: { since: 1, reason: 'a fan fails' } })
  const other = seen('h2', [{ ...gpu('b'), name: 'NVIDIA A40' }])
  const held = claimed(seen('h3', [gpu('c', L4)]), { c: null })
  const free = seen('h4', [gpu('d', L4)])
  expect(remediesOf(ask([cordoned]))).toEqual(['end the cordon of the host'])
  const draining = seen('h2', [gpu('a', L4)], {}, { cordon: { since: 1, reason: 'a fan fails', drain: true } })
  expect(ask([draining])[0]?.refusal?.message).toBe('the host is being drained (a fan fails)')
  expect(remediesOf(ask([cordoned, other, held, other]))).toEqual([
    'end the cordon of the host',
    'ask for "NVIDIA A40", too',
    'stop that installation, or keep it off this GPU',
  ])
  expect(remediesOf(ask([cordoned, held, free]))).toEqual([])
})
