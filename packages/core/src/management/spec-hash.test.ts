import type { EndpointSpec } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { specText } from './spec-hash.ts'

const SPEC: EndpointSpec = {
  image: 'mine:1',
  args: '',
  env: { A: '1', B: '2' },
  diskGb: 10,
  ports: [],
  registryId: null,
  gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] },
  cpu: null,
  networkVolumeIds: [],
  dataCenterIds: [],
  flashboot: 'OFF',
}

describe('the text of a spec', () => {
  it('does not depend on the order of variables or members, nor on absent ones', () => {
    const gpu = { allowedCudaVersions: [], count: 1, excludedTypes: [], pools: ['ADA_24'], minCudaVersion: undefined }
    const { image, ...rest } = SPEC
    const reordered = { ...rest, env: { B: '2', A: '1' }, image, gpu } as unknown as EndpointSpec
    expect(specText('QUEUE', reordered)).toBe(specText('QUEUE', SPEC))
  })

  it.each([
    ['a value', { env: { A: '1', B: '3' } }],
    ['the names of two variables', { env: { B: '1', A: '2' } }],
    ['the order of preference of GPUs', { gpu: { pools: ['AMPERE_24', 'ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] } }],
    ['no disk size', { diskGb: null }],
    ['an entrypoint', { entrypoint: ['sh'] }],
    ['the mode', { flashboot: 'FLASHBOOT' as const }],
  ])('changes with %s', (_what, change) => {
    expect(specText('QUEUE', { ...SPEC, ...change })).not.toBe(specText('QUEUE', SPEC))
  })

  it('changes with the routing type', () => {
    expect(specText('LOAD_BALANCER', SPEC)).not.toBe(specText('QUEUE', SPEC))
  })
})
