// What a picture of the cards is about: the workers of its range, of all owners, their cards, and when cards and hosts were away.
import type { TimelineInput, TimelineWorker } from '@runyard/core'
import { OutOfUse, type HostRecord, type Reason, type WorkerLife, type WorkerRecord } from '@runyard/schema'
import type { TimelineView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { WorkerLists } from '../parts/worker-lists.ts'

export type Range = TimelineInput['range']
export type Worker = TimelineWorker & {
  readonly host: string
  readonly endpointVersion: number
  readonly startReason: Reason
  readonly endReason?: Reason
}

/** Of all owners. */
export async function workersNow(store: Pick<Store, 'endpoints'>, workers: Pick<WorkerLists, 'list'>): Promise<readonly WorkerRecord[]> {
  const endpoints = await store.endpoints.list()
  return (await Promise.all(endpoints.map(({ id }) => workers.list(id)))).flat()
}

interface Seen {
  readonly hosts: readonly HostRecord[]
  readonly now: readonly WorkerRecord[]
  readonly lives: readonly WorkerLife[]
}

export function workersIn({ hosts, now, lives }: Seen, range: Range): readonly Worker[] {
  const labels = new Map(hosts.map(({ hostId, sight }) => [hostId, sight?.label ?? hostId]))
  const there = now.map((record) => ({ ...record, host: labels.get(record.hostId) ?? record.hostId }))
  const ids = new Set(there.map(({ id }) => id))
  return [...there, ...lives.filter(({ id }) => !ids.has(id))].filter(({ createdAt }) => createdAt < range.to)
}

/** When the cards out of use were first written. */
export async function firstChange({ history }: Pick<Store, 'history'>): Promise<number> {
  const [first] = await history.chunks('cardChanges', { from: 0, to: Number.MAX_SAFE_INTEGER, count: 1 })
  return first?.at ?? Date.now()
}

/** Each stored list holds from its time to that of the next. */
export async function absencesIn({ history }: Pick<Store, 'history'>, range: Range): Promise<TimelineView['absences']> {
  const [[before], within] = await Promise.all([
    history.chunks('cardChanges', { from: 0, to: range.from, newestFirst: true, count: 1 }),
    history.chunks('cardChanges', { from: range.from, to: range.to, count: 100_000 }),
  ])
  const open = new Map<string, TimelineView['absences'][number]>()
  const ended: TimelineView['absences'] = []
  for (const { at, bytes } of [...(before === undefined ? [] : [before]), ...within]) {
    const { cards, hosts } = OutOfUse.parse(JSON.parse(Buffer.from(bytes).toString()))
    const away = hosts.map((hostId) => ({ name: hostId, hostId, cause: 'host_away', from: at }))
    const out = cards.map(({ uuid, cause, since }) => ({ name: uuid, uuid, cause, from: since }))
    const now = new Map([...out, ...away].map(({ name, ...absence }) => [name, absence]))
    for (const [name, absence] of open) if (!now.has(name) && open.delete(name)) ended.push({ ...absence, to: at })
    for (const [name, absence] of now) if (!open.has(name)) open.set(name, { ...absence, to: range.to })
  }
  return [...ended, ...open.values()].filter(({ from, to }) => to > range.from && from < range.to)
}

export interface Card {
  readonly uuid: string
  readonly hostId: string
  readonly host: string
  readonly name: string
  readonly simulated: boolean
  readonly index?: number
  readonly powerLimitW?: number | undefined
}

/** By uuid. */
export async function powerLimits({ scalerReport }: Pick<Store, 'scalerReport'>): Promise<ReadonlyMap<string, number>> {
  const report = await scalerReport.get()
  // With the card's uuid as the third label (ADR 73).
  return new Map(
    (report?.metrics['runyard_gpu_power_limit_watts'] ?? []).flatMap(({ values, reading }) =>
      'value' in reading && reading.value > 0 ? [[values[2] ?? '', reading.value] as const] : [],
    ),
  )
}

interface Known {
  readonly hosts: readonly HostRecord[]
  readonly limits: ReadonlyMap<string, number>
}

/** Those that there are, in the order of their hosts, then those that only workers of the range had. */
export function cardsOf({ hosts, limits }: Known, workers: readonly Worker[]): readonly Card[] {
  const there = hosts.flatMap(({ hostId, sight }) =>
    (sight?.inventory?.gpus ?? []).map(({ uuid, name, simulated }, index): Card => {
      return { uuid, hostId, host: sight?.label ?? hostId, name, simulated, index, powerLimitW: limits.get(uuid) }
    }),
  )
  const found = new Map(there.map((card) => [card.uuid, card]))
  for (const { gpus, hostId, host } of workers) {
    for (const { uuid, name, simulated } of gpus) if (!found.has(uuid)) found.set(uuid, { uuid, hostId, host, name, simulated })
  }
  return [...found.values()]
}
