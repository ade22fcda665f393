// Pool facts of hosts and cards, as the leading scaler last saw them. Which worker holds a card comes from the records of workers.
import type { MetricName } from '@runyard/core'
import type { Series } from '@runyard/kit'
import type { Endpoint, HostRecord, HostSight, WorkerRecord } from '@runyard/schema'
import type { Store } from '@runyard/store'

type Facts = Series<MetricName>

export interface Holding {
  readonly endpoint: Endpoint
  readonly record: WorkerRecord
}

/** Of a host whose scaler wrote nothing for longer, nothing is known any more. */
const SIGHT_HOLDS_MS = 180_000

export async function addHosts(
  store: Pick<Store, 'hosts' | 'cards'>,
  facts: Facts,
  { holdings, now }: { readonly holdings: readonly Holding[]; readonly now: number },
): Promise<void> {
  const [records, cards] = await Promise.all([store.hosts.list(), store.cards.list()])
  const outOfUse = new Map(
    cards.flatMap(({ uuid, claim }) =>
      claim?.kind === 'quarantined' || claim?.kind === 'probation' ? [[uuid, claim.cause] as const] : [],
    ),
  )
  const held = Map.groupBy(holdings, ({ record }) => record.hostId)
  for (const host of newestByLabel(records, now)) {
    addHost(facts, host)
    addCards(facts, host.sight, { outOfUse, holders: held.get(host.hostId) ?? [] })
  }
}

type SeenHost = HostRecord & { readonly sight: HostSight }

/** A host that was given another engine has an old record of the same name. */
function newestByLabel(records: readonly HostRecord[], now: number): Iterable<SeenHost> {
  const found = new Map<string, SeenHost>()
  for (const { sight, ...record } of records) {
    if (sight === undefined || now - sight.at > SIGHT_HOLDS_MS) continue
    if ((found.get(sight.label)?.sight.at ?? 0) < sight.at) found.set(sight.label, { ...record, sight })
  }
  return found.values()
}

function addHost(facts: Facts, { sight, cordon }: SeenHost): void {
  const { label, kind, health, inventory, standby = 0, lowDisk } = sight
  facts.set('runyard_host_up', [label, kind], health === 'unreachable' ? 0 : 1)
  facts.set('runyard_host_ready', [label], health === 'ready' ? 1 : 0)
  facts.set('runyard_host_cordoned', [label], cordon === undefined ? 0 : 1)
  facts.set('runyard_host_disk_low', [label], lowDisk === undefined ? 0 : 1)
  facts.set('runyard_host_standby_workers', [label], standby)
  if (inventory === undefined) return
  facts.set('runyard_host_cpus', [label], inventory.cpuCount)
  facts.set('runyard_host_memory_bytes', [label], inventory.memoryBytes)
}

function addCards(
  facts: Facts,
  { label, inventory }: HostSight,
  { outOfUse, holders }: { readonly outOfUse: ReadonlyMap<string, string>; readonly holders: readonly Holding[] },
): void {
  const indexes = new Map<string, string>()
  for (const [index, gpu] of (inventory?.gpus ?? []).entries()) {
    const card = [label, String(index), gpu.uuid]
    indexes.set(gpu.uuid, String(index))
    facts.set('runyard_gpu_info', [...card, gpu.name, String(gpu.simulated)], 1)
    facts.set('runyard_gpu_healthy', card, gpu.healthy ? 1 : 0)
    facts.set('runyard_gpu_memory_total_bytes', card, gpu.memoryBytes)
    const cause = outOfUse.get(gpu.uuid)
    if (cause !== undefined) facts.set('runyard_gpu_out_of_use', [...card, cause], 1)
  }
  for (const { endpoint, record } of holders) {
    for (const { uuid } of record.gpus)
      facts.set('runyard_gpu_assigned', [label, indexes.get(uuid) ?? '', uuid, endpoint.name, endpoint.id, record.id], 1)
  }
}
