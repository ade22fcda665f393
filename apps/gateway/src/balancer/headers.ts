// Headers of a proxied request and of its answer: all as they came, but for those of one connection (RFC 9110 §7.6.1) and the caller's key or session, which
// is for Runyard and not for the code that it reaches (ADR 70).
import type { IncomingMessage } from 'node:http'
import { SESSION_COOKIE } from '../http/page-cookies.ts'

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
const NOT_FORWARDED = new Set([...OF_CONNECTION, 'authorization', 'proxy-authorization', 'expect', 'x-forwarded-for', 'x-runpod-worker-id'])
const NOT_RETURNED = new Set([...OF_CONNECTION, 'x-runpod-worker-id'])
/** What a worker's answer says to a browser that has our page from the same origin. */
const OF_ORIGIN = new Set([...NOT_RETURNED, 'set-cookie', 'clear-site-data', 'service-worker-allowed'])

/** Names and values alternate, as Node reads and writes them. The result is the caller's own. */
export function requestHeaders({ rawHeaders, headers, socket }: IncomingMessage, isUpgrade = false): string[] {
  const kept = keep(rawHeaders, headers.connection, NOT_FORWARDED)
  const before = headers['x-forwarded-for']
  const address = socket.remoteAddress ?? 'unknown'
  kept.push('x-forwarded-for', before === undefined ? address : `${String(before)}, ${address}`)
  if (isUpgrade) kept.push('connection', 'Upgrade', 'upgrade', headers.upgrade ?? '')
  return kept
}

export function answerHeaders({ rawHeaders, headers }: IncomingMessage, workerId: string): string[] {
  const kept = keep(rawHeaders, headers.connection, NOT_RETURNED)
  kept.push('x-runpod-worker-id', workerId)
  return kept
}

/** Of an answer that a browser gets without a key: as a document it has an origin of its own and no scripts, so it cannot act as our page. */
export function sandboxedHeaders({ rawHeaders, headers }: IncomingMessage, workerId: string): string[] {
  const kept = keep(rawHeaders, headers.connection, OF_ORIGIN)
  kept.push('x-runpod-worker-id', workerId, 'content-security-policy', 'sandbox')
  return kept
}

function keep(raw: readonly string[], connection: string | undefined, dropped: ReadonlySet<string>): string[] {
  const named = namedBy(connection)
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const lower = name.toLowerCase()
    const value = raw[at + 1] ?? ''
    if (!dropped.has(lower) && !named.includes(lower)) kept.push(name, lower === 'cookie' ? withoutSessions(value) : value)
  }
  return kept
}

function withoutSessions(cookies: string): string {
  if (!cookies.includes(SESSION_COOKIE)) return cookies
  return cookies
    .split('; ')
    .filter((cookie) => !cookie.startsWith(SESSION_COOKIE) && !cookie.startsWith(`__Host-${SESSION_COOKIE}`))
    .join('; ')
}

const NONE: readonly string[] = []

/** What a Connection header names beside the usual. */
function namedBy(connection: string | undefined): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE
  return connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
}
