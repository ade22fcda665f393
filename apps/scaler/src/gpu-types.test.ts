// The GPU types against two sources: the published list, and the GPUs of all recordings of real machines, which are beside the checkout
// (`../shared/gpu-recordings`). A clone without them skips that test.
import { existsSync, readFileSync } from 'node:fs'
import { createGpuCatalogue, matchesGpu, parseGpuIds } from '@runyard/core'
import { expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const recordings = new URL('../shared/gpu-recordings/facts.json', root)
const catalogue = createGpuCatalogue()

it('every GPU id of the published list has a type with its memory', () => {
  const text = readFileSync(new URL('docs/protocol/management.md', root), 'utf8')
  const list = text.slice(text.indexOf('## 12.'), text.indexOf('## 13.'))
  const rows = list.matchAll(/^\| ((?:NVIDIA|Tesla|AMD) [^|(]+?) (?:\([^|]*\) )?\|[^|]*\| (\d+)/gm)
  const published = [...rows].map(([, id = '', gb]) => ({ id, gb: Number(gb) }))
  expect(published.length).toBeGreaterThan(50)
  for (const { id, gb } of published) expect({ id, gb: catalogue.find(id)?.memoryGb }).toEqual({ id, gb })
})

it.skipIf(!existsSync(recordings))('every recorded GPU has a type, or is usable under its own name', () => {
  const facts = JSON.parse(readFileSync(recordings, 'utf8')) as { gpus: { name: string }[] }[]
  const names = [...new Set(facts.flatMap(({ gpus }) => gpus.map(({ name }) => name)))]
  expect(names.filter((name) => catalogue.find(name) === undefined).toSorted()).toEqual([
    'GRID K520',
    'GRID P4-1Q',
    'GeForce GT 730',
    'NVIDIA GeForce GT 730',
    'NVIDIA Graphics Device',
  ])
  for (const name of names) {
    const gpu = catalogue.identify({ uuid: 'GPU-1', name, memoryBytes: 24 * 2 ** 30, simulated: false, healthy: true })
    expect(matchesGpu(parseGpuIds('any'), gpu)).toBe(true)
    expect(matchesGpu(parseGpuIds(gpu.name), gpu)).toBe(true)
  }
})
