// Where a webhook goes: the URL as its client gave it, and the addresses that its name stands for now. A URL that can never be allowed is
// refused when the job is submitted; a name is judged at each delivery, by every address that it resolves to at that moment.
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { RunyardError } from '@runyard/schema'
import { isPublicAddress } from './address-guard.ts'

const LONGEST_URL = 2048

export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>
export type IsAllowed = (address: string) => boolean

export type Target =
  | { readonly kind: 'allowed'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'refused'; readonly address: string }

/**
 * As the system resolves names, `/etc/hosts` included. Each question occupies one of a few threads that files need, too, for as long as the
 * name servers take: so a name is asked for once at a time, and a receiver whose name servers are dead occupies one thread.
 */
export function createResolve(ask: Resolve = (hostname) => lookup(hostname, { all: true })): Resolve {
  const asking = new Map<string, ReturnType<Resolve>>()
  return (hostname) => {
    const known = asking.get(hostname)
    if (known !== undefined) return known
    const answer = ask(hostname).finally(() => asking.delete(hostname))
    asking.set(hostname, answer)
    return answer
  }
}

export function allowedAddresses({ allowPrivate }: { readonly allowPrivate: boolean }): IsAllowed {
  return allowPrivate ? () => true : isPublicAddress
}

/** @throws RunyardError('bad_request') with what is wrong about it. */
export function parseWebhookUrl(text: string, isAllowed: IsAllowed): URL {
  if (text.length > LONGEST_URL) throw bad(`may have ${LONGEST_URL} characters at most`)
  const url = URL.parse(text)
  if (url === null) throw bad('must be an absolute URL such as https://example.com/done')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('must be an http or https URL')
  const address = plainAddress(hostnameOf(url))
  if (address !== undefined && !isAllowed(address)) {
    throw bad(`names the private address ${hostnameOf(url)}; the setting webhooks.allowPrivate permits those`)
  }
  return url
}

/** One bad address condemns a name: which of them a connection would use is not ours to say. */
export async function findTarget(url: URL, { isAllowed, resolve }: { isAllowed: IsAllowed; resolve: Resolve }): Promise<Target> {
  const hostname = hostnameOf(url)
  const family = isIP(hostname)
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }]
  const refused = addresses.find(({ address }) => !isAllowed(address))
  return refused === undefined ? { kind: 'allowed', addresses } : { kind: 'refused', address: refused.address }
}

/** What may be shown and logged of it: credentials and query are between client and receiver. */
export function withoutSecrets(url: URL): string {
  return `${url.origin}${url.pathname}`
}

/** The address that a hostname is without asking anybody. */
function plainAddress(hostname: string): string | undefined {
  if (isIP(hostname) !== 0) return hostname
  return /(?:^|\.)localhost\.?$/.test(hostname) ? '127.0.0.1' : undefined
}

/** `[::1]` → `::1` */
function hostnameOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

function bad(what: string): RunyardError {
  return new RunyardError('bad_request', `"webhook" ${what}`)
}
