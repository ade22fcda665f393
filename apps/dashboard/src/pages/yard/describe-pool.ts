import type { PoolView } from '@runyard/schema/api'

/** `2 things need you · 6 of 8 cards at work on 2 hosts`. */
export function describePool({ hosts }: PoolView, problems: number): string {
  const cards = hosts.flatMap(({ gpus }) => gpus)
  const busy = cards.filter(({ holders }) => holders.length > 0).length
  const need = problems === 0 ? 'Nothing needs you' : `${problems} ${problems === 1 ? 'thing needs' : 'things need'} you`
  const on = `${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`
  if (hosts.length === 0) return `${need} · no host is configured`
  return cards.length === 0 ? `${need} · ${on} without a GPU` : `${need} · ${busy} of ${cards.length} cards at work on ${on}`
}
