import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { readGpuInventory } from './read-gpus.ts'

const fixture = (name: string) => readFile(new URL(`../../../nvidia-smi-parser/fixtures/${name}`, import.meta.url), 'utf8')

it('a machine without nvidia-smi has no cards, and nothing is wrong with it', async () => {
  expect(await readGpuInventory(async () => undefined)).toEqual({ gpus: [], cudaVersion: null, hasFailed: false, warnings: [] })
})

it('a card with a fault stays listed, as unhealthy, and one that has no name is a warning', async () => {
  const { gpus, cudaVersion, warnings } = await readGpuInventory(() => fixture('faulty-h100-570.xml'))
  expect(cudaVersion).toBe('12.8')
  expect(gpus.map(({ healthy, fault }) => [healthy, fault === undefined])).toEqual([
    [true, true],
    [false, false],
    [false, false],
  ])
  expect(warnings).toHaveLength(2)
})
