// GET /runyard/v1/pool: hosts and cards as the leading scaler last saw them. Everyone with a key sees the machines; workers of others have no names.
import { defined } from '@runyard/core'
import type { Gpu, HostRecord, HostSight, ScalerReport } from '@runyard/schema'
import type { PoolCard, PoolHost, PoolView } from '@runyard/schema/api'
import type { Store, StoredCard } from '@runyard/store'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { ownEndpoints, type OwnEndpoints } from './own-endpoints.ts'

type PoolStore = Pick<Store, 'scalerReport'> & { readonly [N in 'hosts' | 'cards' | 'workers']: Pick<Store[N], 'list'> }

export function registerPoolRoute(app: RestApp, { store }: { readonly store: PoolStore & Pick<Store, 'endpoints'> }): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/pool', async (request) => readPool(store, await ownEndpoints(store, keyOf(request).ownerId)))
}

/** By the uuid of a card. */
interface Known {
  readonly claims: ReadonlyMap<string, StoredCard>
  readonly samples: ReadonlyMap<string, Reading>
  /** Workers of the caller's endpoints, by id. */
  readonly endpointOf: ReadonlyMap<string, { readonly id: string; readonly name: string }>
}

export async function readPool(store: PoolStore, own: OwnEndpoints): Promise<PoolView> {
  const [hosts, cards, report, workers] = await Promise.all([
    store.hosts.list(),
    store.cards.list(),
    store.scalerReport.get(),
    Promise.all(own.asked.map(async ({ id, name }) => (await store.workers.list(id)).map((worker) => [worker.id, { id, name }] as const))),
  ])
  const known = {
    claims: new Map(cards.map((card) => [card.uuid, card])),
    samples: report === undefined ? new Map<string, Reading>() : samplesOf(report),
    endpointOf: new Map(workers.flat()),
  }
  const seen = hosts.flatMap((record) => (record.sight === undefined ? [] : [viewOf(record, record.sight, known)]))
  return { hosts: seen.toSorted((a, b) => (a.label < b.label ? -1 : 1)), scalerAt: report?.at ?? null }
}

function viewOf({ hostId, cordon, rest }: HostRecord, sight: HostSight, known: Known): PoolHost {
  const { label, kind, health, problem, at: seenAt, lowDisk, inventory, standby = 0 } = sight
  const rests = rest === undefined ? undefined : { what: rest.what, message: rest.message }
  const machine = { cpus: inventory?.cpuCount, memoryBytes: inventory?.memoryBytes }
  const gpus = (inventory?.gpus ?? []).map((gpu, index) => cardView(gpu, index, { sight, known }))
  return defined({ id: hostId, label, kind, health, problem, seenAt, cordon, rest: rests, lowDisk, ...machine, standby, gpus })
}

function cardView(gpu: Gpu, index: number, { sight, known }: { readonly sight: HostSight; readonly known: Known }): PoolCard {
  const { uuid, name, memoryBytes, simulated, healthy, fault, reserved } = gpu
  const claim = known.claims.get(uuid)?.claim
  const details =
    claim === undefined || claim.kind === 'releasing' || claim.kind === 'free' ? {} : { cause: claim.cause, message: claim.message }
  const outOfUse = claim === undefined || claim.kind === 'free' ? undefined : { kind: claim.kind, since: claim.since, ...details }
  const facts = {
    uuid,
    index,
    name,
    memoryBytes,
    simulated,
    healthy,
    fault,
    reserved,
    outOfUse,
    sample: sampleOf(known.samples.get(uuid), memoryBytes),
  }
  return defined({ ...facts, holders: holdersOf(uuid, sight, known) })
}

function holdersOf(uuid: string, { claims, sharers }: HostSight, { endpointOf }: Known): PoolCard['holders'] {
  const shared = sharers?.[uuid]?.map(({ workerId }) => workerId)
  const single = uuid in claims ? [claims[uuid] ?? null] : []
  return (shared ?? single).map((workerId) => {
    const endpoint = endpointOf.get(workerId ?? '')
    return endpoint === undefined ? { workerId: null, endpoint: null } : { workerId, endpoint }
  })
}

const READINGS = {
  runyard_gpu_utilization_ratio: 'load',
  runyard_gpu_power_watts: 'powerW',
  runyard_gpu_temperature_celsius: 'temperatureC',
  runyard_gpu_memory_used_bytes: 'usedBytes',
} as const

/** The scaler reports them for `/metrics` (ADR 73), with the card's uuid as the third label. */
function samplesOf({ at, metrics }: ScalerReport): ReadonlyMap<string, Reading> {
  const found = new Map<string, Record<string, number>>()
  for (const [metric, name] of Object.entries(READINGS)) {
    for (const { values, reading } of metrics[metric] ?? []) {
      const uuid = values[2] ?? ''
      if ('value' in reading) found.set(uuid, { ...found.get(uuid), [name]: reading.value })
    }
  }
  return new Map([...found].map(([uuid, reading]) => [uuid, { at, ...reading }]))
}

type Reading = { readonly at: number } & { readonly [N in (typeof READINGS)[keyof typeof READINGS]]?: number }

function sampleOf(reading: Reading | undefined, memoryBytes: number): PoolCard['sample'] {
  if (reading === undefined) return undefined
  const { at, load = null, powerW = null, temperatureC = null, usedBytes } = reading
  return { at, load, memory: usedBytes === undefined ? null : Math.min(1, usedBytes / memoryBytes), powerW, temperatureC }
}
