// A card between two workers, from the worker's end to the next worker, through a restart of the scaler.
import { toJson, type CardProbe, type CardUse, type EndpointSpec, type Gpu } from '@runyard/schema'
import { beforeEach, expect, vi } from 'vitest'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 10 }
const CARD = { uuid: 'GPU-1', name: 'GeForce RTX 4090', memoryBytes: 24e9, simulated: false, healthy: true }

let use: CardUse
let reads = 0
let faulty: Partial<Gpu> = {}
let probes: string[] = []
let onReport: (() => void) | undefined
/** Of the workers that the scaler asked for. */
let processes: readonly number[] = []
let askedFor: readonly string[] = []

beforeEach(async () => {
  faulty = {}
  probes = []
  use = { usedBytes: 0, isMemoryProof: true, processes: [] }
})

/** A host with one real card. */
function open(more: readonly Gpu[] = []) {
  const inventory = async () => {
    reads += 1
    const uses: Readonly<Record<string, CardUse>> = { [CARD.uuid]: use }
    return { cpuCount: 8, memoryBytes: 32e9, gpus: [{ ...CARD, ...faulty }, ...more], cudaVersion: '12.8', uses, usesAt: Date.now() }
  }
  const probeCard = async (uuid: string): Promise<CardProbe> => {
    probes.push(uuid)
    return { kind: 'passed' }
  }
  const watchGpus = (callback: () => void): Disposable => {
    onReport = callback
    return { [Symbol.dispose]: () => undefined }
  }
  const processesOf = async (workerIds: readonly string[]): Promise<readonly number[]> => {
    askedFor = workerIds
    return processes
  }
  return fixture.open({ driver: { ...fixture.host, inventory, probeCard, watchGpus, processesOf }, config: { simulatedGpus: undefined } })
}

async function submit(endpointId: string, spec: Partial<EndpointSpec> = {}): Promise<void> {
  const endpoint = endpointOf(endpointId, { spec })
  await fixture.store.endpoints.upsert({ id: endpoint.id }, () => endpoint)
  await fixture.store.jobs.submit(endpointId, { id: 'j1', input: toJson({}), sync: false, policy: {}, keyId: 'key' })
}

const launched = (endpointId: string) =>
  vi.waitFor(() => {
    const launch = fixture.host.launches.find((candidate) => candidate.endpointId === endpointId)
    if (launch === undefined) throw new Error('no worker yet')
    return launch
  }, WAIT)

/** The scaler judged at least one more report, and the other endpoint still waits. */
async function staysTaken(): Promise<void> {
  const enough = reads + 3
  await vi.waitFor(() => expect(reads).toBeGreaterThan(enough), WAIT)
  expect(await fixture.store.status.get('ep-two')).toMatchObject({ throttled: 1, reason: 'gpus_busy' })
  expect(fixture.host.launches.map(({ endpointId }) => endpointId)).toEqual(['ep-one'])
}

test('the next worker gets a card only when nothing of the last one is left there, also after a restart of the scaler', async () => {
  const first = await open()
  await submit('ep-one')
  const { workerId, gpus } = await launched('ep-one')
  expect(gpus).toEqual([{ uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4090', pool: 'ADA_24', simulated: false }])
  use = { ...use, usedBytes: 5e9, processes: [{ pid: 7, name: 'python3' }] }
  await submit('ep-two')
  await fixture.store.endpoints.delete('ep-one')
  await vi.waitFor(
    async () => expect(await fixture.store.cards.list()).toMatchObject([{ uuid: 'GPU-1', claim: { kind: 'releasing', workerId } }]),
    WAIT,
  )
  await staysTaken()
  await first[Symbol.asyncDispose]()
  await open()
  await staysTaken()
  use = { ...use, usedBytes: 5e9, processes: [] }
  await staysTaken()
  use = { ...use, usedBytes: 1e6 }
  expect((await launched('ep-two')).gpus).toEqual(gpus)
  expect(await fixture.store.cards.list()).toEqual([{ uuid: 'GPU-1', claimText: '', rest: { usedBytes: 0, pids: [] } }])
})

test('what a worker leaves on its card at its end is not how the card is at rest', async () => {
  await using scaler = await open()
  void scaler
  await submit('ep-one')
  const { workerId } = await launched('ep-one')
  use = { ...use, usedBytes: 5e9, processes: [{ pid: 7, name: 'python3' }] }
  const before = reads
  onReport?.()
  await vi.waitFor(() => expect(reads).toBeGreaterThan(before), WAIT)
  fixture.host.die(workerId, 1)
  await vi.waitFor(
    async () =>
      expect(await fixture.store.cards.list()).toMatchObject([
        { claim: { kind: 'releasing', workerId }, rest: { usedBytes: 0, pids: [] } },
      ]),
    WAIT,
  )
})

test('a shared card takes a further worker only when all its processes belong to the workers that are still there', async () => {
  await using scaler = await open()
  void scaler
  const half = { env: { RUNYARD_GPU_MEMORY_MIB: '11000' } }
  await submit('ep-one', half)
  const { workerId } = await launched('ep-one')
  await submit('ep-two', half)
  const staying = await launched('ep-two')
  expect(staying.gpus).toMatchObject([{ uuid: 'GPU-1', part: { bytes: 11_000 * 2 ** 20, ofBytes: 24e9 } }])
  await submit('ep-three', half)
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-three')).toMatchObject({ reason: 'gpus_busy' }), WAIT)

  use = { ...use, usedBytes: 20e9, processes: [7, 8].map((pid) => ({ pid, name: 'python3' })) }
  processes = [8]
  await fixture.store.endpoints.delete('ep-one')
  await vi.waitFor(async () => expect(await fixture.store.cards.list()).toMatchObject([{ claim: { kind: 'releasing', workerId } }]), WAIT)
  const enough = reads + 3
  await vi.waitFor(() => expect(reads).toBeGreaterThan(enough), WAIT)
  expect(askedFor).toEqual([staying.workerId])
  expect(fixture.host.launches.map(({ endpointId }) => endpointId)).toEqual(['ep-one', 'ep-two'])

  use = { ...use, processes: [{ pid: 8, name: 'python3' }] }
  expect((await launched('ep-three')).gpus).toMatchObject([{ uuid: 'GPU-1' }])
})

test('a job on a card that fails runs again on another card without a counted attempt, and the card returns after its probation', async () => {
  await using scaler = await open([{ ...CARD, uuid: 'GPU-2' }])
  await submit('ep-one')
  const { workerId, gpus } = await launched('ep-one')
  expect(gpus.map(({ uuid }) => uuid)).toEqual(['GPU-1'])
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId, fields: { readyAt: Date.now() } })
  expect(await fixture.store.jobs.take('ep-one', workerId)).toMatchObject({ id: 'j1', attempt: 1 })
  faulty = { healthy: false, faultKind: 'reset', fault: 'the driver says that the card needs a reset' }
  onReport?.()
  const next = await vi.waitFor(() => {
    const launch = fixture.host.launches.find((candidate) => candidate.workerId !== workerId)
    if (launch === undefined) throw new Error('no second worker yet')
    return launch
  }, WAIT)
  expect(next.gpus.map(({ uuid }) => uuid)).toEqual(['GPU-2'])
  await vi.waitFor(async () => expect(await fixture.store.jobs.take('ep-one', next.workerId)).toMatchObject({ id: 'j1', attempt: 1 }), WAIT)
  const cards = await fixture.store.cards.list()
  expect(cards.find(({ uuid }) => uuid === 'GPU-1')?.claim).toMatchObject({ kind: 'quarantined', cause: 'reset', workerId })
  expect(probes).toEqual([])
  faulty = {}
  onReport?.()
  await vi.waitFor(
    async () => {
      await scaler.loop.tick()
      const card = (await fixture.store.cards.list()).find(({ uuid }) => uuid === 'GPU-1')
      expect(card?.claim).toMatchObject({ kind: 'free', quarantines: [expect.any(Number)] })
    },
    { timeout: 40_000, interval: 200 },
  )
  expect(probes).toEqual(['GPU-1'])
}, 60_000)
