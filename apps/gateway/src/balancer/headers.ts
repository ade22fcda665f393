// Headers of a proxied request and of its answer: all as they came, but for those of one connection (RFC 9110 §7.6.1) and the caller's key, which is for
// Runyard and not for the code that it reaches (ADR 70).
import type { IncomingMessage } from 'node:http'

const OF_CONNECTION = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
const NOT_FORWARDED = new Set([...OF_CONNECTION, 'authorization', 'proxy-authorization', 'expect', 'x-runpod-worker-id'])
const NOT_RETURNED = new Set([...OF_CONNECTION, 'x-runpod-worker-id'])

/** Names and values alternate, as Node reads and writes them. */
export function requestHeaders({ rawHeaders, headers, socket }: IncomingMessage, isUpgrade = false): string[] {
  const kept = keep(rawHeaders, headers.connection, NOT_FORWARDED)
  const forwarded = [headers['x-forwarded-for'], socket.remoteAddress].filter((address) => address !== undefined).join(', ')
  const more = isUpgrade ? ['connection', 'Upgrade', 'upgrade', headers.upgrade ?? ''] : []
  return [...without(kept, 'x-forwarded-for'), 'x-forwarded-for', forwarded, ...more]
}

export function answerHeaders({ rawHeaders, headers }: IncomingMessage, workerId: string): string[] {
  return [...keep(rawHeaders, headers.connection, NOT_RETURNED), 'x-runpod-worker-id', workerId]
}

function keep(raw: readonly string[], connection: string | undefined, dropped: ReadonlySet<string>): string[] {
  const named =
    connection === undefined
      ? []
      : connection
          .toLowerCase()
          .split(',')
          .map((name) => name.trim())
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    if (!dropped.has(name) && !named.includes(name)) kept.push(raw[at] ?? '', raw[at + 1] ?? '')
  }
  return kept
}

function without(raw: readonly string[], dropped: string): string[] {
  return keep(raw, undefined, new Set([dropped]))
}
