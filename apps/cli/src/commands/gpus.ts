// `runyard gpus`: every card of the pool, with its state, its holder and its load.
import { UsageError, type CommandContext } from '../command.ts'
import { unknownWord } from '../only-word.ts'
import { cardListing, cardsOf } from '../output/card-rows.ts'
import { printListing } from '../output/listing.ts'
import { findClient } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const [host, ...more] = context.positionals
  if (more.length > 0) throw new UsageError(`name one host, or none for all; ${context.positionals.length} were given.`)
  const pool = await (await findClient(context)).history.pool()
  const labels = pool.hosts.map(({ label }) => label)
  if (host !== undefined && !labels.includes(host)) throw unknownWord(host, labels, { what: 'host', group: 'hosts' })
  const cards = cardsOf(pool)
  const rows = host === undefined ? cards : cards.filter((card) => card.host.label === host)
  return printListing(context, cardListing(rows, context.out))
}
