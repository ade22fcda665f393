// `runyard notices`: what needs a person, and a test of who is notified (ADR 83).
import type { CommandContext } from '../command.ts'
import { printListing, timeFormOf } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime } from '../output/time.ts'
import { findClient } from '../settings.ts'

export async function list(context: CommandContext): Promise<number> {
  const rows = await (await findClient(context)).notices()
  const form = timeFormOf(context)
  return printListing(context, {
    rows,
    columns: [
      { title: 'event', cell: ({ event }) => event },
      { title: 'what', cell: ({ subject }) => subject, cut: 'middle' },
      { title: 'notified', cell: ({ since }) => (since === null ? 'not yet' : formatTime(Date.parse(since), form)), goes: 1 },
    ],
    note: ({ message }) => message,
    noteTitle: 'why',
    data: { notices: rows },
    empty: 'nothing needs you',
  })
}

export async function test(context: CommandContext): Promise<number> {
  const { out, options } = context
  const receivers = await (await findClient(context)).testNotices()
  const code = receivers.every(({ isDelivered }) => isDelivered) ? 0 : 1
  if (options['json'] === true) {
    printJson(out, { receivers })
    return code
  }
  if (receivers.length === 0) out.line('there is no receiver: the configuration has no `notify`')
  for (const { url, isDelivered, message } of receivers) out.line(`${isDelivered ? out.good('✓') : out.bad('✗')} ${url}  ${message}`)
  return code
}
