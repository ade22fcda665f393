// `runyard hosts release`: the operator ends the quarantine of a GPU. The leading scaler still wants proof that nothing is left on it, and a fault that the host
// still reports puts it back.
import { releasedByOperator } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import type { StoredCard } from '@runyard/store'
import { UsageError, type CommandContext } from '../../command.ts'
import { findHost, loadHostSettings, readPool, type PoolHost } from '../../hosts/pool.ts'
import { withStore } from '../../stack/with-store.ts'

export async function release(context: CommandContext): Promise<number> {
  const [word, part, ...more] = context.positionals
  if (word === undefined || part === undefined || more.length > 0) throw new UsageError('name one host and one GPU of it.')
  const { config } = await loadHostSettings(context)
  return withStore(context, 'hosts', async (store) => {
    const host = findHost(await readPool(store, config), word)
    const card = findCard(host, part)
    const isListed = host.record?.sight?.inventory?.gpus.some(({ uuid }) => uuid === card.uuid) === true
    if (card.claim === undefined || !(await store.cards.putClaim(card, isListed ? releasedByOperator(card.claim, Date.now()) : undefined)))
      throw new RunyardError('conflict', `${card.uuid} has just changed; look at it with "runyard hosts show ${host.name}".`)
    const then = isListed
      ? 'it gets workers when nothing is left on it, and goes back if its fault is still reported'
      : 'its host does not list it'
    context.out.line(`${card.uuid} is released from quarantine: ${then}`)
    return 0
  })
}

/** By its UUID or a part of it. */
function findCard({ name, cards }: PoolHost, part: string): StoredCard {
  const inQuarantine = cards.filter(({ claim }) => claim?.kind === 'quarantined' || claim?.kind === 'probation')
  const [card, ...others] = inQuarantine.filter(({ uuid }) => uuid.includes(part))
  if (card !== undefined && others.length === 0) return card
  if (card !== undefined)
    throw new UsageError(`"${part}" is part of the UUIDs of ${others.length + 1} GPUs in quarantine; write more of it.`)
  const known = inQuarantine.length === 0 ? 'none is' : `these are: ${inQuarantine.map(({ uuid }) => uuid).join(', ')}`
  throw new RunyardError('not_found', `no GPU "${part}" of ${name} is in quarantine; ${known}.`)
}
