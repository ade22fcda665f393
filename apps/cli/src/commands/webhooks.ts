// `runyard webhooks`: the delivery log of one or all endpoints, the signing secret, and redelivery of an event.
import { createClient, type Client } from '@runyard/client'
import type { WebhookAttempt } from '@runyard/schema'
import { UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { findTarget } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

const SHOWN = 50

export async function log(context: CommandContext): Promise<number> {
  const { out, options, positionals } = context
  const client = createClient(await findTarget(context))
  const logs = await readLogs(client, positionals)
  if (options['json'] === true) return printJson(out, logs)
  const attempts = logs.flatMap(({ endpoint, attempts: list }) => list.map((attempt) => ({ endpoint, attempt })))
  const newest = attempts.toSorted((a, b) => b.attempt.at - a.attempt.at).slice(0, SHOWN)
  const pending = logs.reduce((sum, one) => sum + one.pending.count, 0)
  const head = ['time (UTC)', 'endpoint', 'event', 'try', 'outcome', 'ms', 'receiver', 'what']
  const rows = newest.map(({ endpoint, attempt }) => describe(endpoint, attempt))
  if (newest.length > 0) for (const line of renderTable(out, rows, head)) out.line(line)
  if (newest.length > 0) out.line()
  out.line(newest.length === 0 ? 'no webhook was sent yet' : `${pending} waiting to be delivered`)
  return 0
}

export async function secret(context: CommandContext): Promise<number> {
  return printFirst(context, await createClient(await findTarget(context)).webhooks.secrets())
}

export async function rotate(context: CommandContext): Promise<number> {
  return printFirst(context, await createClient(await findTarget(context)).webhooks.rotateSecret())
}

export async function redeliver(context: CommandContext): Promise<number> {
  const [word, eventId, ...more] = context.positionals
  if (word === undefined || eventId === undefined || more.length > 0) {
    throw new UsageError('name an endpoint and an event of it; `runyard webhooks log` shows both.')
  }
  const client = createClient(await findTarget(context))
  const { id, name } = await findEndpoint(client, word)
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

function describe(endpoint: string, { at, eventId, attempt, outcome, durationMs, url, error, httpStatus, nextAt }: WebhookAttempt) {
  const again = nextAt === undefined ? '' : `; again ${time(nextAt)}`
  return [time(at), endpoint, eventId, `${attempt}`, outcome, `${durationMs}`, url, `${error ?? `status ${httpStatus ?? '–'}`}${again}`]
}

function time(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}
