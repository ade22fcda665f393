import type { Gpu, HostInventory } from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import { gpuBudgetOf, gpuBudgetProblem } from './gpu-budget.ts'
import { explainPlacement } from './explain-placement.ts'
import { allHoldings, sharersByHost } from './holdings.ts'
import { cpuSharesOf } from './cpu-request.ts'
import { place, type Holding } from './placement.ts'
import { CONTAINERS, container, endpoint, gpu, host, NOW, observed, record, view } from './testing/plan-fixture.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const request = (count = 1) => ({ pools: ['ADA_24'], excludedTypes: [], count, allowedCudaVersions: [] })
const spec = (budget?: string, count = 1) => ({
  image: 'mine/worker:1',
  gpu: request(count),
  cpu: null,
  env: budget === undefined ? {} : { RUNYARD_GPU_MEMORY_MIB: budget },
})
const card = (uuid: string, change: Partial<Gpu> = {}): Gpu => ({ ...gpu(uuid), memoryBytes: 24 * GIB, ...change })
const machine = (gpus: readonly Gpu[], change: Partial<HostInventory> = {}): HostInventory => ({
  hostId: 'h1',
  kind: 'docker',
  capabilities: CONTAINERS,
  cpuCount: 16,
  memoryBytes: 130 * GIB,
  gpus: [...gpus],
  cudaVersion: '12.8',
  ...change,
})
const holds = (uuid: string, budgetBytes?: number): Holding => ({
  workerId: `w-${uuid}-${budgetBytes}`,
  hostId: 'h1',
  gpuUuids: [uuid],
  cpus: 0,
  memoryBytes: 0,
  ...(budgetBytes === undefined ? {} : { budgetBytes }),
})

describe('the budget of an endpoint', () => {
  test('is its variable, in MiB, for workers with one GPU', () => {
    expect(gpuBudgetOf(spec('8000'))).toBe(8000 * MIB)
    expect(gpuBudgetOf(spec())).toBeUndefined()
    expect(gpuBudgetOf(spec('8000', 2))).toBeUndefined()
  })

  test.each<[string, Parameters<typeof gpuBudgetProblem>[0], RegExp]>([
    ['a size with a unit', spec('8 GB'), /in MiB, such as 8000; "8 GB" was given/],
    ['nothing', spec(''), /in MiB/],
    ['zero', spec('0'), /in MiB/],
    ['a CPU endpoint', { ...spec('8000'), gpu: null }, /asks for CPU workers/],
    ['several GPUs', spec('8000', 2), /several are never shared; 2 were asked for/],
  ])('is refused with one sentence: %s', (_, wrong, sentence) => {
    expect(gpuBudgetProblem(wrong)).toMatch(sentence)
  })

  test('is not refused if it is one, or none', () => {
    expect([spec('8000'), spec()].map(gpuBudgetProblem)).toEqual([undefined, undefined])
  })
})

describe('a worker with a budget', () => {
  test('joins a card whose workers all have budgets, to the last byte of what the host leaves to workers', () => {
    const shared = [card('a', { reservedBytes: 2 * GIB })]
    const taken = [holds('a', 10 * GIB)]
    expect(place(spec(String(12 * 1024)), [machine(shared)], taken)).toMatchObject({
      gpus: [{ uuid: 'a', part: { bytes: 12 * GIB, ofBytes: 22 * GIB } }],
    })
    expect(place(spec(String(12 * 1024 + 1)), [machine(shared)], taken)).toMatchObject({ reason: 'gpus_busy' })
  })

  test('has no place beside a worker without one, and neither has a worker without one beside it', () => {
    expect(place(spec('1'), [machine([card('a')])], [holds('a')])).toMatchObject({
      reason: 'gpus_busy',
      message: 'none of the GPUs that match NVIDIA GeForce RTX 4090 (1) has 0 GiB left for another worker',
    })
    expect(place(spec(), [machine([card('a')])], [holds('a', MIB)])).toMatchObject({ reason: 'gpus_busy' })
    expect(place(spec(undefined, 2), [machine([card('a'), card('b')])], [holds('a', MIB)])).toMatchObject({ reason: 'gpus_busy' })
  })

  test('goes to the card with the least room that is shared already, however small an empty one is', () => {
    const cards = [card('small'), card('roomy', { memoryBytes: 80 * GIB }), card('tight', { memoryBytes: 80 * GIB })]
    const taken = [holds('roomy', 8 * GIB), holds('tight', 60 * GIB)]
    expect(place(spec('8192'), [machine(cards)], taken)).toMatchObject({ gpus: [{ uuid: 'tight' }] })
    expect(place(spec('8192'), [machine(cards)], [])).toMatchObject({ gpus: [{ uuid: 'small' }] })
  })

  test('may have a MIG slice together with others', () => {
    const slice = card('MIG-1', { parent: 'GPU-1' })
    expect(place(spec('8192'), [machine([slice])], [holds('MIG-1', 8 * GIB)])).toMatchObject({ gpus: [{ uuid: 'MIG-1' }] })
  })

  test('accepts a card of which less is left than its pool promises, if its budget fits', () => {
    const little = [card('a', { reservedBytes: 16 * GIB })]
    expect(place(spec(), [machine(little)], [])).toMatchObject({ reason: 'no_matching_gpu' })
    expect(place(spec('8192'), [machine(little)], [])).toMatchObject({ kind: 'placed' })
  })

  test('gets its part of the memory and of the processors that a worker with the whole card gets', () => {
    const placed = place(spec('6144'), [machine([card('a')])], [])
    expect(placed).toMatchObject({ memoryBytes: 32 * GIB })
    expect(cpuSharesOf(0.25, machine([card('a')]))).toBe(4096)
  })
})

const COUNTING: HostInventory['capabilities'] = { ...CONTAINERS, gpuChoice: 'count' }

test.each<[string, HostInventory, string, string, RegExp]>([
  ['more than any card has', machine([card('a')]), '30000', 'too_small', /budget of 29.3 GiB is more than any GPU .* has 24 GiB/],
  ['a card for one process', machine([card('a', { oneProcess: true })]), '8000', 'one_process', /compute mode/],
  ['a host that counts GPUs', machine([card('a')], { capabilities: COUNTING }), '8000', 'no_sharing', /h1: GPUs are attached by number/],
])('a budget that cannot be had is refused with a sentence, by placement and by explain: %s', (_, found, budget, reason, sentence) => {
  expect(place(spec(budget), [found], [])).toMatchObject({ reason: 'no_matching_gpu', message: expect.stringMatching(sentence) as string })
  const sight = { health: 'ready' as const, label: 'h1', kind: 'docker' as const, at: NOW, claims: {}, inventory: found }
  const question = { hosts: [{ hostId: 'h1', sight }], holdings: [], holders: new Map(), now: NOW }
  const [verdict] = explainPlacement({ ...question, spec: spec(budget) })
  expect([verdict?.refusal?.reason, verdict?.gpus[0]?.refusal?.reason]).toContain(reason)
})

test('one worker that shares a card is counted in the singular', () => {
  const sight = { health: 'ready' as const, label: 'h1', kind: 'docker' as const, at: NOW, claims: { a: 'w1' } }
  const sharers = { a: [{ workerId: 'w1', bytes: 20 * GIB }] }
  const hosts = [{ hostId: 'h1', sight: { ...sight, sharers, inventory: machine([card('a')]) } }]
  const [verdict] = explainPlacement({ spec: spec('8192'), holdings: [], holders: new Map(), now: NOW, hosts })
  expect(verdict?.gpus[0]?.refusal?.message).toBe('1 worker holds 20 GiB of its 24 GiB, and the budget is 8 GiB')
})

describe('two workers that share a card', () => {
  const part = (bytes: number) => [{ uuid: 'a', name: gpu('a').name, simulated: true, part: { bytes, ofBytes: 24e9 } }]
  const workers = [record('w1', { gpus: part(8e9) }), record('w2', { gpus: part(6e9) })]
  const world = observed(
    [view(endpoint('ep-one'), { workers })],
    [
      host(
        'h1',
        [gpu('a')],
        workers.map((worker) => container(worker)),
      ),
    ],
  )

  test('count with their budgets, each once, although record and container both name them', () => {
    expect(allHoldings(world).filter(({ gpuUuids }) => gpuUuids.length > 0)).toMatchObject([{ budgetBytes: 8e9 }, { budgetBytes: 6e9 }])
    expect(sharersByHost(allHoldings(world)).get('h1')).toEqual({
      a: [
        { workerId: 'w1', bytes: 8e9 },
        { workerId: 'w2', bytes: 6e9 },
      ],
    })
  })

  test('are explained to one that fits, to one that does not, and to one that needs the card alone', () => {
    const sharers = sharersByHost(allHoldings(world)).get('h1') ?? {}
    const inventory = world.hosts[0]?.inventory
    const sight = { health: 'ready' as const, label: 'h1', kind: 'docker' as const, at: NOW, claims: { a: 'w2' }, sharers }
    const refusalFor = (budget?: string, claims: Record<string, string | null> = sight.claims) =>
      explainPlacement({
        spec: spec(budget),
        holdings: [],
        holders: new Map(),
        now: NOW,
        hosts: [{ hostId: 'h1', sight: { ...sight, claims, ...(inventory && { inventory }) } }],
      })[0]?.gpus[0]?.refusal
    expect(refusalFor('8000')).toBeUndefined()
    expect(refusalFor('12000')?.message).toBe('2 workers hold 13 GiB of its 22.4 GiB, and the budget is 11.7 GiB')
    expect(refusalFor()?.message).toBe('2 workers hold 13 GiB of its 22.4 GiB, and this endpoint needs it alone')
    expect(refusalFor('8000', { a: null })?.message).toMatch(/not proven yet/)
  })
})
