// `runyard hosts list` and `show`: what the leading scaler saw last.
import { formatDuration } from '@runyard/core/durations'
import { inGib, restsUntil, returnsAt, twinOf, usableMemoryOf } from '@runyard/core'
import type { CardClaim, Gpu, HostSight } from '@runyard/schema'
import type { CommandContext } from '../../command.ts'
import { findHost, isStale, onlyHost, openPool, type PoolHost } from '../../hosts/pool.ts'
import { printListing, type Column, type Listing } from '../../output/listing.ts'
import { printJson } from '../../output/print-json.ts'
import { renderTable } from '../../output/table.ts'
import type { Terminal } from '../../output/terminal.ts'

const GIB = 2 ** 30

const columnsOf = (state: Column<PoolHost>): readonly Column<PoolHost>[] => [
  { title: 'host', cell: ({ name }) => name, cut: 'middle' },
  { title: 'where', cell: ({ where }) => where, cut: 'middle', goes: 3 },
  state,
  { title: 'GPUs', cell: cardsOf, goes: 2 },
  { title: 'workers', cell: ({ workers }) => `${workers.length}`, isNumber: true, goes: 1 },
  { title: 'id', cell: ({ record }) => record?.hostId ?? '–', isWide: true },
]

export async function list(context: CommandContext): Promise<number> {
  return printListing(context, hostListing(await (await openPool(context)).read(), context.out))
}

/** On a terminal the reason of a state has lines of its own, which are never cut. */
function hostListing(rows: readonly PoolHost[], out: Terminal): Listing<PoolHost> {
  const isFitted = out.isTty && out.form !== 'wide'
  const wordOf = (host: PoolHost): string => (/^[^(:,]*[^(:, ]/u.exec(stateOf(host)) ?? [''])[0]
  return {
    rows,
    columns: columnsOf({ title: 'state', cell: isFitted ? wordOf : stateOf, cut: 'end' }),
    ...(isFitted && { note: (host: PoolHost) => (wordOf(host) === stateOf(host) ? undefined : stateOf(host)), paintNote: () => out.warn }),
    data: rows.map(toJson),
    empty: 'no host is configured, and no scaler has seen one yet',
  }
}

export async function show(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyHost(context)
  const host = findHost(await (await openPool(context)).read(), word)
  if (options['json'] === true) return printJson(out, toJson(host))
  const gpus = host.record?.sight?.inventory?.gpus ?? []
  const workers = host.workers.map(({ id, endpointId, gpus: held }) => [`  ${id}`, endpointId, held === 0 ? '' : `${held} GPU`])
  const tables = [
    factsOf(host).map(([title, words]) => [out.dim(title), words]),
    gpus.map((gpu) => [`  ${gpu.uuid}`, gpu.name, ...stateOfGpu(gpu, host)]),
    quarantinesOf(host),
    workers,
  ]
  for (const [index, rows] of tables.filter(({ length }) => length > 0).entries()) {
    if (index > 0) out.line()
    for (const line of renderTable(out, rows)) out.line(line)
  }
  return 0
}

/** Cause, since when, how often in the last day, what ends it. */
function quarantinesOf({ cards }: PoolHost): readonly (readonly string[])[] {
  const now = Date.now()
  return cards.flatMap(({ uuid, claim }) => {
    if (claim?.kind !== 'quarantined' && claim?.kind !== 'probation') return []
    const times = claim.quarantines.length === 1 ? 'once' : `${claim.quarantines.length} times`
    return [[`  ${uuid}`, `in quarantine for ${formatDuration(now - claim.since)}, ${times} today`, claim.message, endOf(claim, now)]]
  })
}

function endOf(claim: CardClaim, now: number): string {
  if (claim.kind === 'probation') return 'it is being tried'
  const at = returnsAt(claim)
  if (at === Infinity) return 'the operator releases it'
  return at > now ? `it is tried in ${formatDuration(at - now)} if the fault is gone` : 'it is tried when the fault is gone'
}

function toJson(host: PoolHost) {
  const { name, config, record, workers, cards } = host
  return {
    name,
    hostId: record?.hostId ?? null,
    state: stateOf(host),
    config: config ?? null,
    sight: record?.sight ?? null,
    rest: record?.rest ?? null,
    cordon: record?.cordon ?? null,
    workers: workers.map(({ id }) => id),
    cards: cards.map(({ uuid, claim }) => ({ uuid, ...claim })),
  }
}

function cardsOf({ record }: PoolHost): string {
  const gpus = record?.sight?.inventory?.gpus ?? []
  const held = Object.keys(record?.sight?.claims ?? {}).length
  return gpus.length === 0 ? '–' : `${held} of ${gpus.length} in use`
}

/** What the operator wants first, then what the scaler sees. */
function stateOf(host: PoolHost): string {
  const { twin } = host
  const words = [...restraintsOf(host), ...(twin === undefined ? conditionOf(host) : [`not used: ${twinOf(twin)}`])]
  return words.length === 0 ? 'ready' : words.join(', ')
}

function restraintsOf({ config, record, workers }: PoolHost): readonly string[] {
  const written = config?.cordon === undefined || config.cordon === false ? [] : ['cordoned by its configuration']
  const cordon = record?.cordon
  if (cordon === undefined) return written
  const word = cordon.drain !== true ? 'cordoned' : workers.length === 0 ? 'drained' : 'draining'
  return [`${word} (${cordon.reason})`, ...written]
}

function conditionOf({ record }: PoolHost): readonly string[] {
  const now = Date.now()
  const sight = record?.sight
  if (record === undefined || sight === undefined) return ['not seen yet']
  if (isStale(record, now)) return [`not seen for ${formatDuration(now - sight.at)}`]
  if (sight.health !== 'ready') return [sight.problem ?? sight.health]
  const { rest } = record
  const low = sight.lowDisk === undefined ? [] : [`pulls no images: ${sight.lowDisk}`]
  return rest === undefined || restsUntil(rest) <= now ? low : [`rests ${formatDuration(restsUntil(rest) - now)}: ${rest.message}`, ...low]
}

function standbyOf({ record }: PoolHost): readonly (readonly [string, string])[] {
  const { standby, standbyProblem } = record?.sight ?? {}
  const waiting = standby === 1 ? '1 worker waits for an endpoint' : `${standby ?? 0} workers wait for an endpoint`
  if (standbyProblem !== undefined) return [['standby', `${waiting}; no further one can be started: ${standbyProblem}`]]
  return standby === undefined ? [] : [['standby', waiting]]
}

/** A configuration on another machine is known by the scaler's report. */
function labelsOf({ config, record }: PoolHost): readonly string[] {
  const labels = config?.labels ?? record?.sight?.inventory?.labels ?? {}
  return Object.entries(labels).map(([key, text]) => `${key}=${text}`)
}

function factsOf(host: PoolHost): readonly (readonly [string, string])[] {
  const { name, where, record } = host
  const inventory = record?.sight?.inventory
  const labels = labelsOf(host)
  const facts: (readonly [string, string])[] = [
    ['host', name],
    ['where', where],
    ['state', stateOf(host)],
  ]
  if (record !== undefined) facts.push(['id', record.hostId])
  facts.push(...standbyOf(host))
  if (labels.length > 0) facts.push(['labels', labels.join(', ')])
  if (inventory !== undefined) {
    facts.push(['size', `${inventory.cpuCount} CPUs, ${(inventory.memoryBytes / GIB).toFixed(1)} GiB`])
    if (inventory.maxWorkers !== undefined) facts.push(['limit', `${inventory.maxWorkers} workers`])
    if (inventory.cudaVersion !== null) facts.push(['CUDA', inventory.cudaVersion])
  }
  return facts
}

function holdersOf(gpu: Gpu, sight: HostSight | undefined): readonly string[] {
  const holder = sight?.claims[gpu.uuid]
  const sharers = sight?.sharers?.[gpu.uuid]
  if (sharers !== undefined) return [sharing(sharers, gpu)]
  return holder === undefined ? [] : [holder === null ? 'held by another installation' : `held by worker ${holder}`]
}

/** E.g. `shared by worker abc (8 GiB) and worker def (8 GiB), 6 GiB left`. */
function sharing(sharers: NonNullable<HostSight['sharers']>[string], gpu: Gpu): string {
  const names = sharers.map(({ workerId, bytes }) => `worker ${workerId} (${inGib(bytes)})`)
  const left = usableMemoryOf(gpu) - sharers.reduce((sum, { bytes }) => sum + bytes, 0)
  return `shared by ${names.join(' and ')}, ${inGib(left)} left`
}

/** E.g. `Xid 13 at 12:03:04 UTC (worker abc)`. */
function xidOf({ xid }: Gpu): readonly string[] {
  if (xid === undefined) return []
  const whose = (xid.workerIds ?? []).map((id) => `worker ${id}`).join(' or ')
  return [`Xid ${xid.xid} at ${new Date(xid.at).toISOString().slice(11, 19)} UTC${whose === '' ? '' : ` (${whose})`}`]
}

function stateOfGpu(gpu: Gpu, { record }: PoolHost): readonly string[] {
  const whole = `${(gpu.memoryBytes / GIB).toFixed(0)} GiB`
  const memory = gpu.reservedBytes === undefined ? whole : `${(usableMemoryOf(gpu) / GIB).toFixed(1)} of ${whole}`
  const remarks = [
    ...(gpu.simulated ? ['simulated'] : []),
    ...(gpu.reserved === true ? ['reserved'] : []),
    ...(gpu.fault === undefined ? [] : [gpu.fault]),
    ...holdersOf(gpu, record?.sight),
    ...xidOf(gpu),
  ]
  return [memory, remarks.length === 0 ? 'free' : remarks.join(', ')]
}
