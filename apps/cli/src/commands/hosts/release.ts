// `runyard hosts release`: the operator ends the quarantine of a GPU. The leading scaler still wants proof that nothing is left on it, and a fault that the host
// still reports puts it back.
import { RunyardError } from '@runyard/schema'
import { UsageError, type CommandContext } from '../../command.ts'
import { findHost, openPool, type PoolHost } from '../../hosts/pool.ts'

export async function release(context: CommandContext): Promise<number> {
  const [word, part, ...more] = context.positionals
  if (word === undefined || part === undefined || more.length > 0) throw new UsageError('name one host and one GPU of it.')
  const { client, read } = await openPool(context)
  const host = findHost(await read(), word)
  const { uuid, isListed } = await client.hosts.release(host.record?.hostId ?? host.name, findCard(host, part))
  const then = isListed
    ? 'it gets workers when nothing is left on it, and goes back if its fault is still reported'
    : 'its host does not list it'
  context.out.line(`${uuid} is released from quarantine: ${then}`)
  return 0
}

/** Its UUID, by that or a part of it. */
function findCard({ name, cards }: PoolHost, part: string): string {
  const inQuarantine = cards.filter(({ claim }) => claim.kind === 'quarantined' || claim.kind === 'probation').map(({ uuid }) => uuid)
  const [card, ...others] = inQuarantine.filter((uuid) => uuid.includes(part))
  if (card !== undefined && others.length === 0) return card
  if (card !== undefined)
    throw new UsageError(`"${part}" is part of the UUIDs of ${others.length + 1} GPUs in quarantine; write more of it.`)
  const known = inQuarantine.length === 0 ? 'none is' : `these are: ${inQuarantine.join(', ')}`
  throw new RunyardError('not_found', `no GPU "${part}" of ${name} is in quarantine; ${known}.`)
}
