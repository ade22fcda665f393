import type { Gpu } from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import { createGpuCatalogue, GPU_POOLS, makerOf, memoryGbOf, poolOf, withGpuTypes } from './gpu-catalogue.ts'
import { GPU_TYPE_ROWS, POOL_BOUNDS } from './gpu-types.ts'
import { matchesGpu, parseGpuIds } from './gpu-request.ts'

const GIB = 2 ** 30
const card = (name: string, gib = 24): Gpu => ({ uuid: 'GPU-1', name, memoryBytes: gib * GIB, simulated: false, healthy: true })
const builtIn = createGpuCatalogue()

describe('the built-in types', () => {
  test('have one row per name, and every published pool member has the memory of its pool', () => {
    expect(new Set(GPU_TYPE_ROWS.map(([id]) => id)).size).toBe(GPU_TYPE_ROWS.length)
    for (const { pool, fromGib } of POOL_BOUNDS) {
      for (const id of GPU_POOLS[pool]) expect(builtIn.find(id)?.memoryGb).toBeGreaterThanOrEqual(fromGib)
    }
  })
})

test('the maker of a GPU is the first word of its name, and NVIDIA where that is none', () => {
  expect(['AMD Instinct MI300X OAM', 'NVIDIA L4', 'Tesla T4'].map(makerOf)).toEqual(['AMD', 'NVIDIA', 'NVIDIA'])
})

describe('a card', () => {
  test.each([
    ['GeForce RTX 3090', 24, 'NVIDIA GeForce RTX 3090', 'AMPERE_24'],
    ['NVIDIA  RTX A4500', 20, 'NVIDIA RTX A4500', 'AMPERE_16'],
    ['NVIDIA Tesla T4', 15, 'Tesla T4', null],
    ['NVIDIA GeForce RTX 3080TI', 12, 'NVIDIA GeForce RTX 3080 Ti', null],
    ['NVIDIA A10G', 22.49, 'NVIDIA A10G', 'AMPERE_24'],
    ['NVIDIA GeForce RTX 4060 Ti', 8, 'NVIDIA GeForce RTX 4060 Ti', null],
    ['NVIDIA GeForce RTX 4060 Ti', 15.99, 'NVIDIA GeForce RTX 4060 Ti', 'AMPERE_16'],
    ['NVIDIA GB200', 192, 'NVIDIA GB200', null],
    ['NVIDIA  Graphics Device', 280, 'NVIDIA Graphics Device', null],
    ['NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb', 24, 'NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb', null],
  ])('%s with %d GiB is %s in pool %s', (name, gib, id, pool) => {
    expect(builtIn.identify(card(name, gib))).toMatchObject({ name: id, pool })
  })

  test('without memory of its own has the memory of its host', () => {
    const host = {
      hostId: 'h',
      kind: 'process',
      capabilities: { runsImages: false, isolates: false, gpuChoice: 'uuid', remembersExits: false },
      cpuCount: 20,
      memoryBytes: 119 * GIB,
      cudaVersion: '13.0',
      gpus: [card('NVIDIA GB10', 0)],
    } as const
    expect(withGpuTypes({ ...host, gpus: [...host.gpus] }, builtIn).gpus[0]?.memoryBytes).toBe(119 * GIB)
  })
})

describe('types of the operator', () => {
  const own = createGpuCatalogue({
    'GeForce RTX 3060': { pool: 'AMPERE_16' },
    'NVIDIA L4': { pool: 'ADA_24' },
    'NVIDIA A40': { pool: null, maxCount: 2 },
    'NVIDIA Prototype': { displayName: 'Prototype', memoryGb: 64 },
    'NVIDIA Other': {},
  })

  test('change built-in types and add new ones', () => {
    expect(own.identify(card('NVIDIA GeForce RTX 3060', 12)).pool).toBe('AMPERE_16')
    expect(own.identify(card('NVIDIA L4', 22)).pool).toBe('ADA_24')
    expect(own.find('NVIDIA A40')).toMatchObject({ pool: null, maxCount: 2, memoryGb: 48 })
    expect(own.find('prototype')).toMatchObject({ id: 'NVIDIA Prototype', displayName: 'Prototype', memoryGb: 64, pool: null, maxCount: 8 })
    expect(own.find('NVIDIA Other')).toMatchObject({ displayName: 'Other', memoryGb: 24 })
    expect(memoryGbOf(own, 'NVIDIA Prototype')).toBe(64)
    expect(memoryGbOf(own, 'NVIDIA Unheard Of')).toBe(24)
  })

  test('decide the pool that a request finds, but a request for one type gets that type', () => {
    const rtx3060 = own.identify(card('NVIDIA GeForce RTX 3060', 12))
    const l4 = own.identify(card('NVIDIA L4', 22))
    expect(matchesGpu(parseGpuIds('AMPERE_16'), rtx3060)).toBe(true)
    expect(matchesGpu(parseGpuIds('AMPERE_16,-NVIDIA RTX A4000,-NVIDIA RTX A4500,-NVIDIA RTX 2000 Ada Generation'), rtx3060)).toBe(false)
    expect(matchesGpu(parseGpuIds('AMPERE_16,-NVIDIA A40'), rtx3060)).toBe(true)
    expect(matchesGpu(parseGpuIds('ADA_24'), l4)).toBe(true)
    expect(matchesGpu(parseGpuIds('AMPERE_24'), l4)).toBe(false)
    expect(poolOf(l4)).toBe('ADA_24')
  })
})
