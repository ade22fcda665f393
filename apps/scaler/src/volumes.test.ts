// Volumes through the scaler: workers follow the data, and the data goes only with its volume.
import { DockerHostConfig, type VolumeData, type WorkerRecord } from '@runyard/schema'
import { staticSource } from '@runyard/testing'
import { expect, vi } from 'vitest'
import { createFakeHost, endpointOf, fixture, test, type FakeHost } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }

const TOOLS = { now: 1, randomText: () => 'r', sha256: (text: string) => text }
const OWNER = endpointOf('ep-one').ownerId

async function addVolume(id: string, dataCenterId = 'EU-RO-1'): Promise<void> {
  const volume = { id, name: `name of ${id}`, ownerId: OWNER, kind: 'STANDARD', sizeGb: 10, dataCenterId, createdAt: 1 } as const
  await fixture.store.resources.volumes.save({ ...TOOLS, ownerId: OWNER, id: undefined, edit: () => volume })
}

async function save(id: string, volumeId: string | undefined, workersMin = 1): Promise<void> {
  const networkVolumeIds = volumeId === undefined ? [] : [volumeId]
  const settings = { workersMin, workersMax: 4 }
  await fixture.store.endpoints.upsert({ id }, () => endpointOf(id, { hash: `${id} ${volumeId}`, spec: { networkVolumeIds }, settings }))
}

interface Removing extends FakeHost {
  readonly removed: VolumeData[]
}

function removing(label: string): Removing {
  const removed: VolumeData[] = []
  return { ...createFakeHost(label), removed, removeVolume: async (volume) => removed.push(volume) > 0 }
}

const until = (look: () => Promise<void> | void): Promise<void> => vi.waitFor(look, WAIT)
const workers = (endpointId: string): Promise<readonly WorkerRecord[]> => fixture.store.workers.list(endpointId)

test('the first worker of a volume chooses its host, and all later ones go there', async () => {
  const [one, two] = [removing('one'), removing('two')]
  await addVolume('v1')
  await save('ep-one', 'v1', 2)
  await fixture.open({ source: staticSource([one, two]) })
  await until(async () => expect(await workers('ep-one')).toHaveLength(2))
  const [host] = new Set((await workers('ep-one')).map(({ hostId }) => hostId))
  expect(await fixture.store.volumes.stores()).toEqual(new Map([['v1', `host ${host}`]]))
  expect(new Set((await workers('ep-one')).map(({ hostId, volumeIds }) => `${hostId} ${volumeIds?.join()}`)).size).toBe(1)
  await until(() => expect([...one.launches, ...two.launches]).toHaveLength(2))
  const [launch] = [...one.launches, ...two.launches]
  expect(launch).toMatchObject({
    mounts: [{ volumeId: 'v1', path: '/runpod-volume', readOnly: false }],
    env: { RUNPOD_VOLUME_PATH: '/runpod-volume' },
  })
})

test('a worker waits where no host is in the data center of its volume, and the status says so', async () => {
  await addVolume('v1', 'US-CA-2')
  await save('ep-one', 'v1')
  await fixture.open()
  await until(async () =>
    expect(await fixture.store.status.get('ep-one')).toMatchObject({
      reason: 'no_volume_host',
      message: 'no host has the volume "name of v1" (of the data center US-CA-2): local',
    }),
  )
  expect(fixture.host.launches).toEqual([])
})

test('the data of a volume lies where the configuration of the host says', async () => {
  const config = DockerHostConfig.parse({ kind: 'docker', id: 'local', volumes: { path: '/mnt/nfs/', shared: true } })
  await addVolume('v1')
  await save('ep-one', 'v1')
  await fixture.open({ source: staticSource([fixture.host], [config]) })
  await until(() => expect(fixture.host.launches[0]?.mounts).toMatchObject([{ volumeId: 'v1', directory: '/mnt/nfs/v1' }]))
  expect(await fixture.store.volumes.stores()).toEqual(new Map([['v1', 'shared EU-RO-1']]))
})

test('the data of a deleted volume is removed once no worker has it; a removal of one that exists removes nothing', async () => {
  const host = removing('one')
  await addVolume('v1')
  await addVolume('v2')
  for (const id of ['v1', 'v2']) await fixture.store.volumes.putRemoval({ id, name: id, ownerId: OWNER, at: Date.now() })
  await fixture.store.volumes.claim('v2', 'host one')
  await save('ep-one', 'v1')
  await fixture.open({ driver: host })
  await until(() => expect(host.launches).toHaveLength(1))
  await fixture.store.endpoints.delete('ep-one')
  await fixture.store.resources.volumes.remove(OWNER, { id: 'v1' })
  await until(() => expect(host.removed).toEqual([{ volumeId: 'v1', directory: undefined }]))
  expect(host.observed.size).toBe(0)
  await until(async () => expect((await fixture.store.volumes.removals()).map(({ id }) => id)).toEqual(['v2']))
  expect(await fixture.store.volumes.stores()).toEqual(new Map([['v2', 'host one']]))
})
