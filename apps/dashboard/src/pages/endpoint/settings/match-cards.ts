// Which cards of the yard an endpoint's wish matches now, as placement would look at them (`gpu-fit.ts`), by the names of pools and types alone.
import type { GpuTypeView, PoolView } from '@runyard/schema/api'
import { shortType } from '../../../timeline/describe.ts'
import { formatCounted } from '../../../ui/format.ts'

export interface CardWish {
  /** Pools and types, best first; `any` is every card. */
  readonly tokens: readonly string[]
  readonly excluded: readonly string[]
  /** Cards of one worker. */
  readonly count: number
}

type Host = PoolView['hosts'][number]
type Card = Host['gpus'][number]

export interface Offer {
  /** What to ask for: a pool, or a type that is in none. */
  readonly token: string
  readonly cards: number
  readonly free: number
  readonly types: readonly string[]
}

const isFree = (host: Host, { healthy, reserved, outOfUse, holders }: Card): boolean =>
  host.health === 'ready' && host.cordon === undefined && healthy && reserved !== true && outOfUse === undefined && holders.length === 0

const poolOf = (name: string, types: readonly GpuTypeView[]): string | null => types.find(({ id }) => id === name)?.pool ?? null

/** What there is, most cards first. */
export function offersOf({ hosts }: PoolView, types: readonly GpuTypeView[]): readonly Offer[] {
  const cards = hosts.flatMap((host) => host.gpus.map((card) => ({ name: card.name, isFree: isFree(host, card) })))
  const offers = [...Map.groupBy(cards, ({ name }) => poolOf(name, types) ?? name)].map(([token, all]) => ({
    token,
    cards: all.length,
    free: all.filter((card) => card.isFree).length,
    types: [...new Set(all.map(({ name }) => shortType(name)))],
  }))
  return offers.toSorted((a, b) => b.cards - a.cards || a.token.localeCompare(b.token))
}

/** One sentence. */
export function describeMatch(wish: CardWish, { hosts }: PoolView, types: readonly GpuTypeView[]): string {
  const isWished = ({ name }: Card): boolean => {
    const names = new Set([name, poolOf(name, types) ?? name, 'any'])
    return wish.tokens.some((token) => names.has(token)) && !wish.excluded.includes(name)
  }
  const matches = hosts.map((host) => ({ host, cards: host.gpus.filter(isWished) })).filter(({ cards }) => cards.length > 0)
  const cards = matches.flatMap((match) => match.cards)
  if (cards.length === 0) return 'No card matches now: jobs would wait until one is there.'
  if (!matches.some((match) => match.cards.length >= wish.count))
    return `${formatCounted(cards.length, 'card matches', 'cards match')} now, but no host has ${wish.count} of them for one worker.`
  const free = matches.flatMap((match) => match.cards.filter((card) => isFree(match.host, card))).length
  const kinds = [...Map.groupBy(cards, ({ name }) => shortType(name))].map(([name, all]) => `${all.length} × ${name}`).join(', ')
  const where = matches.length === 1 ? `on ${matches[0]?.host.label}` : `on ${matches.length} hosts`
  return `${formatCounted(cards.length, 'card matches', 'cards match')} now, ${free} free: ${kinds} ${where}.`
}
