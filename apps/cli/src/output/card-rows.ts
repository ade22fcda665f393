// Lists the cards of the pool: what each is doing, for whom, and how hot.
import { formatDuration } from '@runyard/core/durations'
import type { PoolCard, PoolHost, PoolView } from '@runyard/schema/api'
import type { Listing } from './listing.ts'
import type { Terminal } from './terminal.ts'

const GIB = 2 ** 30
const BAR_WIDTH = 10

export interface CardRow extends PoolCard {
  readonly host: Pick<PoolHost, 'label' | 'health' | 'cordon' | 'problem'>
}

export function cardsOf({ hosts }: PoolView): readonly CardRow[] {
  return hosts.flatMap((host) => host.gpus.map((card) => ({ ...card, host })))
}

export function cardListing(rows: readonly CardRow[], out: Terminal): Listing<CardRow> {
  return {
    rows,
    columns: [
      { title: 'card', cell: ({ host, index }) => `${host.label}·${index}`, cut: 'middle' },
      {
        title: 'GPU',
        cell: ({ name, simulated }) => `${name.replace(/^NVIDIA (?:GeForce )?/u, '')}${simulated ? ' (simulated)' : ''}`,
        cut: 'end',
        goes: 3,
      },
      { title: 'state', cell: stateOf, paint: (card) => paintState(card, out) },
      { title: 'holder', cell: holderOf, cut: 'middle', goes: 1 },
      { title: 'load', cell: ({ sample }) => bar(sample?.load), goes: 2 },
      { title: 'memory', cell: ({ sample, memoryBytes }) => describeMemory(sample?.memory, memoryBytes), goes: 4 },
      { title: 'W', cell: ({ sample }) => rounded(sample?.powerW), isNumber: true, goes: 6 },
      { title: '°C', cell: ({ sample }) => rounded(sample?.temperatureC), isNumber: true, goes: 5 },
      { title: 'uuid', cell: ({ uuid }) => uuid, isWide: true },
    ],
    note: whyOfCard,
    noteTitle: 'why',
    paintNote: () => out.bad,
    data: rows,
    empty: 'no card was seen yet',
  }
}

export function stateOf({ outOfUse, healthy, reserved, holders, host }: CardRow): string {
  if (outOfUse !== undefined) return outOfUse.kind
  if (host.health === 'unreachable') return 'unknown'
  if (!healthy) return 'unhealthy'
  if (holders.length > 0) return 'held'
  if (reserved === true) return 'reserved'
  return host.cordon === undefined ? 'free' : 'cordoned'
}

/** Why the card cannot be used. Undefined: it can, or the operator wants it so. */
export function whyOfCard({ outOfUse, fault, host }: CardRow, now = Date.now()): string | undefined {
  if (outOfUse?.kind === 'quarantined')
    return `in quarantine for ${formatDuration(now - outOfUse.since)}: ${outOfUse.message ?? outOfUse.cause ?? ''}`
  return fault ?? (host.health === 'ready' ? undefined : host.problem)
}

function paintState(card: CardRow, out: Terminal): (text: string) => string {
  const state = stateOf(card)
  if (state === 'held') return out.good
  if (state === 'free') return (text) => text
  return ['quarantined', 'unhealthy', 'unknown'].includes(state) ? out.bad : out.warn
}

function holderOf({ holders }: CardRow): string {
  const names = holders.map(({ workerId, endpoint }) => endpoint?.name ?? workerId ?? 'somebody else')
  return names.length === 0 ? '–' : [...new Set(names)].join(', ')
}

/** `██████░░░░  62 %` */
function bar(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return '–'
  const filled = Math.round(Math.min(1, ratio) * BAR_WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${`${Math.round(ratio * 100)}`.padStart(3)} %`
}

function describeMemory(ratio: number | null | undefined, bytes: number): string {
  const whole = `${(bytes / GIB).toFixed(0)} GiB`
  return ratio === null || ratio === undefined ? whole : `${((ratio * bytes) / GIB).toFixed(1)} of ${whole}`
}

function rounded(number: number | null | undefined): string {
  return number === null || number === undefined ? '–' : `${Math.round(number)}`
}
