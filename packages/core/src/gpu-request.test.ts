import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GPU_POOL_IDS, GPU_POOLS, poolOf } from './gpu-catalogue.ts'
import { compareCudaVersions, describeGpuRequest, formatGpuIds, matchesCuda, matchesGpu, parseGpuIds } from './gpu-request.ts'

const ANY = 'ADA_24,ADA_32_PRO,ADA_48_PRO,ADA_80_PRO,AMPERE_16,AMPERE_24,AMPERE_48,AMPERE_80,BLACKWELL_180,BLACKWELL_96,HOPPER_141'

describe('parseGpuIds', () => {
  test.each([
    ['ADA_24', { pools: ['ADA_24'], excludedTypes: [] }],
    ['AMPERE_24,-NVIDIA L4,-NVIDIA RTX A5000', { pools: ['AMPERE_24'], excludedTypes: ['NVIDIA L4', 'NVIDIA RTX A5000'] }],
    [' ADA_24 , AMPERE_16 ', { pools: ['ADA_24', 'AMPERE_16'], excludedTypes: [] }],
    ['NVIDIA GeForce RTX 4090', { pools: ['NVIDIA GeForce RTX 4090'], excludedTypes: [] }],
    ['NVIDIA  RTX A4500', { pools: ['NVIDIA RTX A4500'], excludedTypes: [] }],
    ['ADA_24,ADA_24', { pools: ['ADA_24'], excludedTypes: [] }],
    ['any', { pools: GPU_POOL_IDS, excludedTypes: [] }],
  ])('reads %s', (text, expected) => {
    expect(parseGpuIds(text)).toEqual(expected)
  })

  test.each([
    ['ADA_99', 'Invalid GPU Pool ID: "ADA_99"'],
    ['', 'gpuIds names no GPU pool'],
    ['-NVIDIA L4', 'gpuIds names no GPU pool'],
    ['ADA_24,-NVIDIA GeForce RTX 4090', 'gpuIds excludes every GPU type that it asks for'],
  ])('rejects "%s" with one sentence', (text, message) => {
    expect(() => parseGpuIds(text)).toThrow(message)
  })

  test('formatGpuIds is its inverse', () => {
    expect(formatGpuIds({ pools: ['ADA_24'], excludedTypes: ['NVIDIA L4'] })).toBe('ADA_24,-NVIDIA L4')
    const pools = fc.uniqueArray(fc.constantFrom(...GPU_POOL_IDS), { minLength: 1 })
    const excluded = fc.uniqueArray(fc.constantFrom('NVIDIA RTX A9999', 'NVIDIA L99'))
    fc.assert(
      fc.property(pools, excluded, (wanted, excludedTypes) => {
        const selection = { pools: wanted, excludedTypes }
        expect(parseGpuIds(formatGpuIds(selection))).toEqual(selection)
      }),
    )
  })
})

describe('matchesGpu', () => {
  test.each([
    ['AMPERE_24', 'NVIDIA L4', true],
    ['AMPERE_24,-NVIDIA L4', 'NVIDIA L4', false],
    ['ADA_24', 'NVIDIA L4', false],
    ['NVIDIA GeForce RTX 3060', 'NVIDIA GeForce RTX 3060', true],
    ['ADA_24', 'NVIDIA GeForce RTX 3060', false],
    ['AMPERE_16', 'NVIDIA  RTX A4500', true],
    [ANY, 'NVIDIA GeForce RTX 3060', true],
    [`${ANY},-NVIDIA GeForce RTX 3060`, 'NVIDIA GeForce RTX 3060', false],
  ])('%s on a %s: %s', (text, name, expected) => {
    expect(matchesGpu(parseGpuIds(text), { name })).toBe(expected)
  })

  test('every member of a pool matches its pool and is found in it', () => {
    for (const pool of GPU_POOL_IDS) {
      for (const name of GPU_POOLS[pool]) {
        expect(matchesGpu(parseGpuIds(pool), { name })).toBe(true)
        expect(poolOf({ name })).toBe(pool)
      }
    }
  })
})

describe('CUDA versions', () => {
  const request = { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] }

  test('are compared as numbers', () => {
    expect(compareCudaVersions('12.11', '12.2')).toBeGreaterThan(0)
    expect(compareCudaVersions('11.8', '12.0')).toBeLessThan(0)
    expect(compareCudaVersions('12.4', '12.4')).toBe(0)
  })

  test.each([
    [{ minCudaVersion: '12.2' }, '12.11', true],
    [{ minCudaVersion: '12.8' }, '12.4', false],
    [{ allowedCudaVersions: ['12.4', '12.5'] }, '12.4', true],
    [{ allowedCudaVersions: ['12.5'] }, '12.4', false],
    [{ minCudaVersion: '12.2' }, null, false],
    [{}, null, true],
  ])('%j on a driver of %s: %s', (bounds, driver, expected) => {
    expect(matchesCuda({ ...request, ...bounds }, driver)).toBe(expected)
  })
})

test.each([
  ['AMPERE_24,-NVIDIA GeForce RTX 3090,-NVIDIA RTX A5000', 1, 'NVIDIA L4'],
  ['ADA_24', 1, 'NVIDIA GeForce RTX 4090'],
  ['NVIDIA GeForce RTX 3060', 2, '2 × NVIDIA GeForce RTX 3060'],
  ['AMPERE_24', 1, 'AMPERE_24'],
  ['AMPERE_24,-NVIDIA L4', 2, '2 × NVIDIA RTX A5000, NVIDIA GeForce RTX 3090'],
  ['ADA_48_PRO,-NVIDIA RTX 6000 Ada Generation', 1, 'NVIDIA L40, NVIDIA L40S'],
  ['ADA_24,ADA_48_PRO', 1, 'ADA_24, ADA_48_PRO'],
  [ANY, 1, 'any GPU'],
  [`${ANY},-NVIDIA L4`, 1, 'any GPU without NVIDIA L4'],
])('a request for %s (%d) is described by what it means', (ids, count, words) => {
  expect(describeGpuRequest({ ...parseGpuIds(ids), count, allowedCudaVersions: [] })).toBe(words)
})

test('a request for many types names the first of them, or its pools where that is shorter', () => {
  const types = ['NVIDIA L4', 'NVIDIA A40', 'NVIDIA L40', 'NVIDIA RTX A4000', 'NVIDIA RTX A5000', 'NVIDIA RTX A6000', 'NVIDIA L40S']
  expect(describeGpuRequest({ pools: types, excludedTypes: [], count: 1, allowedCudaVersions: [] })).toContain('others')
})
