// The receiver of a webhook: the URL as its client gave it, and the addresses that its name resolves to now. A URL that can never be allowed is refused
// when the job is submitted; a name is checked at each delivery, by every address that it resolves to at that moment.
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { RunyardError } from '@runyard/schema'
import { createNetworkCheck, isMetadataAddress, isPublicAddress } from './address-guard.ts'
import type { Resolve } from './name-lookup.ts'

const LONGEST_URL = 2048

export type IsAllowed = (address: string) => boolean

export type Target =
  | { readonly kind: 'allowed'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'refused'; readonly address: string }

/** Addresses that may be posted to: public ones, and private ones as far as the setting goes. */
export function allowedAddresses({ allowPrivate }: { readonly allowPrivate: boolean | readonly string[] }): IsAllowed {
  if (allowPrivate === false) return isPublicAddress
  if (allowPrivate === true) return (address) => !isMetadataAddress(address)
  const isListed = createNetworkCheck(allowPrivate)
  return (address) => (isPublicAddress(address) || isListed(address)) && !isMetadataAddress(address)
}

/** What browsers refuse: services that are no web servers, such as mail, and could be made to do something by a body (https://fetch.spec.whatwg.org/#port-blocking). */
const BAD_PORTS = new Set(
  [
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143 161 179 389',
    '427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000',
    '6566 6665 6666 6667 6668 6669 6679 6697 10080',
  ].flatMap((line) => line.split(' ')),
)

/** @throws RunyardError('bad_request') with what is wrong about it. */
export function parseWebhookUrl(text: string, isAllowed: IsAllowed): URL {
  if (text.length > LONGEST_URL) throw bad(`may have ${LONGEST_URL} characters at most`)
  const url = URL.parse(text)
  if (url === null) throw bad('must be an absolute URL such as https://example.com/done')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('must be an http or https URL')
  if (BAD_PORTS.has(url.port)) throw bad(`names port ${url.port}, which no web server has`)
  const address = plainAddress(hostnameOf(url))
  if (address !== undefined && !isAllowed(address)) {
    throw bad(`names ${describeRefused(hostnameOf(url), address)}`)
  }
  return url
}

/** `shown` stands for the address, which may not be posted to. */
export function describeRefused(shown: string, address = shown): string {
  return isMetadataAddress(address)
    ? `${shown}, the address of a metadata service, which no setting permits`
    : `the private address ${shown}; the setting webhooks.allowPrivate permits those`
}

/** One bad address makes the name refused, since a connection may use any of them. */
export async function findTarget(url: URL, { isAllowed, resolve }: { isAllowed: IsAllowed; resolve: Resolve }): Promise<Target> {
  const hostname = hostnameOf(url)
  const family = isIP(hostname)
  const addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }]
  const refused = addresses.find(({ address }) => !isAllowed(address))
  return refused === undefined ? { kind: 'allowed', addresses } : { kind: 'refused', address: refused.address }
}

/** The part that may be shown and logged: credentials and query are secrets of client and receiver. */
export function withoutSecrets(url: URL): string {
  return `${url.origin}${url.pathname}`
}

/** The address that a hostname is without a look-up. */
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
