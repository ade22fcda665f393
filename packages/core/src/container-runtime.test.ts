import { expect, test } from 'vitest'
import { runtimeOf } from './container-runtime.ts'
import { place, type OpenHost, type PlacedSpec } from './placement.ts'

const host = (hostId: string, more: Partial<OpenHost> = {}): OpenHost => ({
  hostId,
  kind: 'docker',
  capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
  cpuCount: 8,
  memoryBytes: 32e9,
  gpus: [],
  cudaVersion: null,
  ...more,
})
const usual: PlacedSpec = { image: 'mine/worker:1', gpu: null, cpu: null }
const guarded: PlacedSpec = { ...usual, runtime: 'runsc' }

test('an endpoint has the runtime of its id, or else that of all others', () => {
  const config = { runtimes: { one: 'runsc', '*': 'runc' } }
  expect([runtimeOf(config, 'one'), runtimeOf(config, 'two'), runtimeOf({ runtimes: {} }, 'one')]).toEqual(['runsc', 'runc', undefined])
})

test('a runtime decides which host gets a worker, unless it is not known what the host has', () => {
  const hosts = [host('one', { runtimes: ['runc'] }), host('two', { runtimes: ['runc', 'runsc'] })]
  expect(place(guarded, hosts, [])).toMatchObject({ kind: 'placed', hostId: 'two' })
  expect(place(usual, hosts, [])).toMatchObject({ kind: 'placed', hostId: 'one' })
  expect(place(guarded, [host('unknown')], [])).toMatchObject({ kind: 'placed' })
})

test('a runtime that no host has is the reason why no worker starts', () => {
  const hosts = [host('one', { label: 'box', runtimes: ['runc'] }), host('two', { runtimes: [] })]
  const message = 'no host has the container runtime runsc, which the setting runtimes names: box, two'
  expect(place(guarded, hosts, [])).toEqual({ kind: 'refused', reason: 'no_runtime', message })
})

test('a shim of containerd is on no list of an engine, so it is left to the engine, but no host without containers gets its workers', () => {
  const shim = { ...usual, runtime: 'io.containerd.kata.v2' }
  expect(place(shim, [host('plain', { runtimes: [] }), host('engine', { runtimes: ['runc'] })], [])).toMatchObject({ hostId: 'engine' })
  expect(place(shim, [host('plain', { runtimes: [] })], [])).toMatchObject({ kind: 'refused', reason: 'no_runtime' })
})
