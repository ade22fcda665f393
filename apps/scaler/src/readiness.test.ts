import type { HostView } from '@runyard/core'
import { Config, HostConfig, type HostReadiness } from '@runyard/schema'
import { beforeEach, expect, it } from 'vitest'
import { createReadiness, type Readiness } from './readiness.ts'
import { createFakeHost } from './testing/scaler-fixture.ts'

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
