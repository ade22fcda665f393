import type { HostView } from '@runyard/core'
import { Config, HostConfig, type HostReadiness } from '@runyard/schema'
import { beforeEach, expect, it } from 'vitest'
import { createReadiness, takeStandby, type Readiness } from './readiness.ts'
import type { ActDeps } from './act-deps.ts'
import { createFakeHost, endpointOf } from './testing/scaler-fixture.ts'

let wanted: (HostReadiness | undefined)[]
let config: HostConfig | undefined
let readiness: Readiness

beforeEach(() => {
  wanted = []
  config = undefined
  const driver = { ...createFakeHost('box'), keepReady: (ready: HostReadiness | undefined) => void wanted.push(ready) }
  const hosts = { list: () => [{ driver, hostId: () => 'box', config: () => config }] }
  readiness = createReadiness({ hosts, config: Config.parse({}), caBundle: undefined })
})

const view = (change: Partial<HostView> = {}): HostView => ({
  hostId: 'box',
  isIdentified: true,
  label: 'box',
  kind: 'docker',
  unready: undefined,
  inventory: undefined,
  inventoryAt: undefined,
  cardsOfOthers: [],
  observedAt: 0,
  workers: [],
  ...change,
})

it('keeps as many networks ready as the host’s configuration says now, two by default', () => {
  readiness.note({ hosts: [view()], shutdown: false })
  config = HostConfig.parse({ kind: 'docker', id: 'box', readyNetworks: 5 })
  readiness.note({ hosts: [view()], shutdown: false })
  expect(wanted).toEqual([{ networks: 2 }, { networks: 5 }])
})

it.each<[string, Partial<HostView>, boolean]>([
  ['that is not prepared yet', { unready: 'is being prepared' }, false],
  ['that is cordoned', { cordon: { since: 0, reason: 'repair' } }, false],
  ['of an installation that shuts down', {}, true],
])('has nothing ready on a host %s', (_, change, shutdown) => {
  readiness.note({ hosts: [view(change)], shutdown })
  expect(wanted).toEqual([{ networks: 0 }])
})

it('leaves the hosts to the next scaler when it does not lead any more', () => {
  readiness[Symbol.dispose]()
  expect(wanted).toEqual([undefined])
})

it.each([
  ['where GPUs are variables', { cardsByVariable: true, runsImages: false }, 'waiting'],
  ['that runs images', { runsImages: true }, undefined],
])('a worker that stands by on a host %s takes on an endpoint with a real GPU: %j', (_, capabilities, expected) => {
  const fake = createFakeHost('box')
  const driver = { ...fake, capabilities: { ...fake.capabilities, ...capabilities }, takeStandby: () => 'waiting' }
  config = HostConfig.parse({ kind: 'process', id: 'box', standby: 1 })
  const hosts = { list: () => [{ driver, hostId: () => 'box', config: () => config }] }
  const deps = { hosts, config: Config.parse({}) } as unknown as ActDeps
  const gpus = [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false }]
  const start = { kind: 'start', endpointId: 'ep', hostId: 'box', gpus, reason: 'first_job' } as const
  expect(takeStandby(deps, { ...start, cpus: undefined, memoryBytes: undefined }, endpointOf('ep'))).toBe(expected)
})
