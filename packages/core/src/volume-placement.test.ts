import type { Volume } from '@runyard/schema'
import { expect, it } from 'vitest'
import { endpoint } from './testing/plan-fixture.ts'
import { describeVolumes, storeOf, volumeNeeds, volumesOn, type VolumePlace } from './volume-placement.ts'

const volume = (id: string, change: Partial<VolumePlace> = {}): VolumePlace => ({
  id,
  name: id,
  dataCenterId: 'EU-RO-1',
  storeId: undefined,
  ...change,
})
const HERE = { hostId: 'a' }
const SHARING = { hostId: 'a', volumes: { shared: true } }

it.each([
  ['a host of its own', HERE, 'host a'],
  ['hosts that share', SHARING, 'shared EU-RO-1'],
  ['hosts of another data center that share', { ...SHARING, dataCenterId: 'US-CA-2' }, 'shared US-CA-2'],
])('the store of %s', (_what, host, store) => expect(storeOf(host)).toBe(store))

it.each<[string, Parameters<typeof volumesOn>[0], VolumePlace, ReadonlyMap<string, string>, boolean]>([
  ['a new one goes to any host of its data center', HERE, volume('v'), new Map(), true],
  ['and to no host of another one', { ...HERE, dataCenterId: 'US-CA-2' }, volume('v'), new Map(), false],
  ['a global one goes anywhere', { ...HERE, dataCenterId: 'US-CA-2' }, volume('v', { dataCenterId: null }), new Map(), true],
  ['one with data stays on its host', HERE, volume('v', { storeId: 'host a' }), new Map(), true],
  ['and goes to no other', HERE, volume('v', { storeId: 'host b' }), new Map(), false],
  ['one in a shared store goes to each host that shares it', SHARING, volume('v', { storeId: 'shared EU-RO-1' }), new Map(), true],
  ['and to none that does not', HERE, volume('v', { storeId: 'shared EU-RO-1' }), new Map(), false],
  ['a store that was chosen in this plan counts', HERE, volume('v'), new Map([['v', 'host b']]), false],
])('a volume: %s', (_what, host, wanted, chosen, expected) => {
  expect(volumesOn(host, [[wanted]], chosen) !== undefined).toBe(expected)
})

it('of several volumes of a row, the first that the host has; of several rows, one each', () => {
  const [near, far] = [volume('near'), volume('far', { dataCenterId: 'US-CA-2' })]
  expect(volumesOn(HERE, [[far, near]])).toEqual([near])
  expect(volumesOn(HERE, [[far], [near]])).toBeUndefined()
  expect(volumesOn(HERE, [])).toEqual([])
})

it('an endpoint needs one of its volumes, a task all of them', () => {
  const asked = endpoint('ep', { spec: { networkVolumeIds: ['a', 'b'] } })
  const ids = (seen: typeof asked) => volumeNeeds(seen, new Map(), new Map()).map((row) => row.map(({ id }) => id))
  expect(ids(asked)).toEqual([['a', 'b']])
  expect(ids({ ...asked, task: { until: 1, mounts: [] } })).toEqual([['a'], ['b']])
})

it('a volume is described by where its data is, or may be', () => {
  const known: Volume = { id: 'v', ownerId: 'o', name: 'models', kind: 'STANDARD', sizeGb: 10, dataCenterId: 'EU-RO-1', createdAt: 1 }
  const asked = endpoint('ep', { spec: { networkVolumeIds: ['v', 'gone'] } })
  const needs = (storeId?: string) => volumeNeeds(asked, new Map([['v', known]]), new Map(storeId === undefined ? [] : [['v', storeId]]))
  expect(describeVolumes(needs())).toBe('"models" (of the data center EU-RO-1) or "gone" (it does not exist any more)')
  expect(describeVolumes(needs('host a'))).toContain('"models" (its data is on the host a)')
  expect(describeVolumes(needs('shared EU-RO-1'))).toContain('"models" (its data is in the store "shared EU-RO-1")')
  expect(describeVolumes([[volume('any', { dataCenterId: null })]])).toBe('"any"')
  expect(volumeNeeds(endpoint('ep'), new Map(), new Map())).toEqual([])
})
