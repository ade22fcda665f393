// `runyard webhooks`: the delivery log of one or all endpoints, the signing secret, and redelivery of an event.
import type { Client } from '@runyard/client'
import type { WebhookAttempt } from '@runyard/schema'
import { UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Column } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import type { TimeForm } from '../output/terminal.ts'
import { formatTime } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

const SHOWN = 50

export async function log(context: CommandContext): Promise<number> {
  const { out, options, positionals } = context
  const client = await findClient(context)
  const logs = await readLogs(client, positionals)
  if (options['json'] === true) return printJson(out, logs)
  const attempts = logs.flatMap(({ endpoint, attempts: list }) => list.map((attempt) => ({ endpoint, attempt })))
  const rows = attempts.toSorted((a, b) => b.attempt.at - a.attempt.at).slice(0, SHOWN)
  printListing(context, { rows, columns: columnsFor(context), data: logs, empty: 'no webhook was sent yet' })
  if (rows.length > 0) out.line()
  if (rows.length > 0) out.line(`${logs.reduce((sum, one) => sum + one.pending.count, 0)} waiting to be delivered`)
  return 0
}

export async function secret(context: CommandContext): Promise<number> {
  return printFirst(context, await (await findClient(context)).webhooks.secrets())
}

export async function rotate(context: CommandContext): Promise<number> {
  return printFirst(context, await (await findClient(context)).webhooks.rotateSecret())
}

export async function redeliver(context: CommandContext): Promise<number> {
  const [word, eventId, ...more] = context.positionals
  if (word === undefined || eventId === undefined || more.length > 0) {
    throw new UsageError('name an endpoint and an event of it; `runyard webhooks log` shows both.')
  }
  const client = await findClient(context)
  const { id, name } = await findEndpoint(client, word, context.err)
  await client.webhooks.redeliver(id, eventId)
  context.out.line(`${eventId} of ${name} is tried now; \`runyard webhooks log ${name}\` shows what comes of it`)
  return 0
}

async function readLogs(client: Client, words: readonly string[]) {
  const endpoints = words.length === 0 ? await client.listEndpoints() : await Promise.all(words.map((word) => findEndpoint(client, word)))
  return Promise.all(endpoints.map(async ({ id, name }) => ({ endpoint: name, ...(await client.webhooks.log(id, SHOWN)) })))
}

function printFirst({ out }: CommandContext, [first = '']: readonly string[]): number {
  out.line(first)
  return 0
}

function columnsFor(context: CommandContext): readonly Column<{ endpoint: string; attempt: WebhookAttempt }>[] {
  const form = timeFormOf(context)
  return [
    { title: 'time', cell: ({ attempt }) => formatTime(attempt.at, form) },
    { title: 'endpoint', cell: ({ endpoint }) => endpoint, cut: 'middle' },
    // Whole, because `redeliver` takes it.
    { title: 'event', cell: ({ attempt }) => attempt.eventId },
    { title: 'try', cell: ({ attempt }) => `${attempt.attempt}`, isNumber: true, goes: 3 },
    { title: 'outcome', cell: ({ attempt }) => attempt.outcome },
    { title: 'ms', cell: ({ attempt }) => `${attempt.durationMs}`, isNumber: true, goes: 4 },
    { title: 'receiver', cell: ({ attempt }) => attempt.url, cut: 'middle', goes: 2 },
    { title: 'what', cell: ({ attempt }) => describe(attempt, form), cut: 'end', goes: 1 },
  ]
}

function describe({ error, httpStatus, nextAt }: WebhookAttempt, form: TimeForm): string {
  return `${error ?? `status ${httpStatus ?? '–'}`}${nextAt === undefined ? '' : `; again ${formatTime(nextAt, form)}`}`
}
