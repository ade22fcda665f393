// `runyard webhooks`: the delivery log of one endpoint or of all, the secret that signs, and a second chance for a dropped event.
import { createClient, type Client } from '@runyard/client'
import { RunyardError, type WebhookAttempt } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { alignColumns, type Terminal } from '../output/terminal.ts'
import { findRunning } from '../settings.ts'

const SHOWN = 50

export async function run(context: CommandContext): Promise<number> {
  const [what = 'log', ...words] = context.positionals
  const action = Object.hasOwn(ACTIONS, what) ? ACTIONS[what] : undefined
  if (action === undefined || words.length > action.words.length || words.length < action.needed) {
    const known = Object.entries(ACTIONS).map(([name, { words: takes }]) => `\`${[name, ...takes].join(' ')}\``)
    throw new RunyardError('bad_request', `\`webhooks\` takes one of ${known.join(', ')}.`)
  }
  await action.run(createClient(await findRunning(context)), words, context.out)
  return 0
}

interface ActionOfWebhooks {
  readonly words: readonly string[]
  readonly needed: number
  readonly run: (client: Client, words: readonly string[], out: Terminal) => Promise<void>
}

const ACTIONS: Readonly<Record<string, ActionOfWebhooks>> = {
  log: { words: ['ENDPOINT'], needed: 0, run: showLog },
  secret: { words: [], needed: 0, run: async (client, _words, out) => out.line((await client.webhooks.secrets())[0] ?? '') },
  rotate: {
    words: [],
    needed: 0,
    async run(client, _words, out) {
      out.line((await client.webhooks.rotateSecret())[0] ?? '')
    },
  },
  redeliver: {
    words: ['ENDPOINT', 'EVENT'],
    needed: 2,
    run: async (client, [endpointId = '', eventId = '']) => client.webhooks.redeliver(endpointId, eventId),
  },
}

async function showLog(client: Client, [endpointId]: readonly string[], out: Terminal): Promise<void> {
  const ids = endpointId === undefined ? (await client.listEndpoints()).map(({ id }) => id) : [endpointId]
  const logs = await Promise.all(ids.map(async (id) => ({ id, ...(await client.webhooks.log(id, SHOWN)) })))
  const attempts = logs.flatMap(({ id, attempts: list }) => list.map((attempt) => ({ id, attempt })))
  const newest = attempts.toSorted((a, b) => b.attempt.at - a.attempt.at).slice(0, SHOWN)
  const pending = logs.reduce((sum, log) => sum + log.pending.count, 0)
  const head = ['time (UTC)', 'endpoint', 'event', 'try', 'outcome', 'ms', 'receiver', 'what'].map((title) => out.dim(title))
  if (newest.length > 0) for (const line of alignColumns([head, ...newest.map(({ id, attempt }) => describe(id, attempt))])) out.line(line)
  out.line(newest.length === 0 ? 'no webhook was sent yet' : `\n${pending} waiting to be delivered`)
}

function describe(endpointId: string, { at, eventId, attempt, outcome, durationMs, url, error, httpStatus, nextAt }: WebhookAttempt) {
  const again = nextAt === undefined ? '' : `; again ${time(nextAt)}`
  return [time(at), endpointId, eventId, `${attempt}`, outcome, `${durationMs}`, url, `${error ?? `status ${httpStatus ?? '–'}`}${again}`]
}

function time(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}
