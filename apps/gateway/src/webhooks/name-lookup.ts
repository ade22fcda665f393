// Looks up a receiver's name: in `/etc/hosts`, then at the name servers, over its own sockets. The system's look-up would occupy one of a few threads,
// which file access needs, too, for as long as a name server is silent. A look-up ends in time, a name that failed is not looked up again for a while,
// and each owner has few look-ups under way, so that one owner's dead names do not delay the webhooks of others.
import { promises as dns, type LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

export type Resolve = (hostname: string, ownerId?: string) => Promise<readonly LookupAddress[]>

const FAILURE_LASTS_MS = 30_000
const MOST_FAILURES = 1000
const MOST_PER_OWNER = 8

export interface ResolveOptions {
  readonly ask?: (hostname: string) => Promise<readonly LookupAddress[]>
  readonly clock?: () => number
}

export function createResolve({ ask = createAsk(), clock = Date.now }: ResolveOptions = {}): Resolve {
  const asking = new Map<string, ReturnType<Resolve>>()
  const byOwner = new Map<string, Set<Promise<unknown>>>()
  const failures = createFailures(clock)

  const start = (hostname: string, own: Set<Promise<unknown>>): ReturnType<Resolve> => {
    const answer = ask(hostname)
      .catch((error: unknown) => {
        failures.note(hostname, error)
        throw error
      })
      .finally(() => {
        asking.delete(hostname)
        own.delete(answer)
      })
    asking.set(hostname, answer)
    own.add(answer)
    return answer
  }

  return async (hostname, ownerId = '') => {
    const own = byOwner.get(ownerId) ?? new Set()
    byOwner.set(ownerId, own)
    try {
      for (;;) {
        failures.check(hostname)
        const known = asking.get(hostname)
        if (known !== undefined) return await known
        if (own.size < MOST_PER_OWNER) return await start(hostname, own)
        await Promise.race(own).catch(() => undefined)
      }
    } finally {
      if (own.size === 0) byOwner.delete(ownerId)
    }
  }
}

function createFailures(clock: () => number) {
  const failures = new Map<string, { readonly error: unknown; readonly until: number }>()
  return {
    note(hostname: string, error: unknown): void {
      failures.delete(hostname)
      failures.set(hostname, { error, until: clock() + FAILURE_LASTS_MS })
      const [oldest] = failures.keys()
      if (failures.size > MOST_FAILURES && oldest !== undefined) failures.delete(oldest)
    },
    /** @throws the error of the last look-up, while it is remembered. */
    check(hostname: string): void {
      const failure = failures.get(hostname)
      if (failure === undefined) return
      if (clock() < failure.until) throw failure.error
      failures.delete(hostname)
    },
  }
}

export interface AskOptions {
  /** `host:port`; default: the system's. */
  readonly servers?: readonly string[]
  readonly hostsFile?: string
  readonly resolvConf?: string
  readonly timeoutMs?: number
}

const TRIES = 2

export function createAsk(options: AskOptions = {}): (hostname: string) => Promise<readonly LookupAddress[]> {
  const { servers, hostsFile = '/etc/hosts', resolvConf = '/etc/resolv.conf', timeoutMs = 2000 } = options
  return async (hostname) => {
    const family = isIP(hostname)
    if (family !== 0) return [{ address: hostname, family }]
    const written = inHosts(await readFile(hostsFile, 'utf8').catch(() => ''), hostname)
    if (written.length > 0) return written
    const resolver = new dns.Resolver({ timeout: timeoutMs, tries: TRIES })
    if (servers !== undefined) resolver.setServers(servers)
    const timer = setTimeout(() => resolver.cancel(), timeoutMs * TRIES).unref()
    try {
      return await askInTurn(resolver, withSearchDomains(hostname, await readFile(resolvConf, 'utf8').catch(() => '')))
    } finally {
      clearTimeout(timer)
    }
  }
}

function inHosts(text: string, hostname: string): readonly LookupAddress[] {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
  const found = lines.filter(([address = '', ...names]) => isIP(address) !== 0 && names.some((each) => each.toLowerCase() === name))
  return found.map(([address = '']) => ({ address, family: isIP(address) }))
}

/** As the system does it for names such as `hooks.default`, which Kubernetes has. */
function withSearchDomains(hostname: string, resolvConf: string): readonly string[] {
  if (hostname.endsWith('.')) return [hostname]
  const [, domains = ''] = /^search\s+(.+)$/m.exec(resolvConf) ?? []
  const searched = domains.split(/\s+/).filter((domain) => domain !== '' && domain !== '.')
  const longer = searched.slice(0, 6).map((domain) => `${hostname}.${domain}`)
  return hostname.includes('.') ? [hostname, ...longer] : [...longer, hostname]
}

async function askInTurn(resolver: dns.Resolver, names: readonly string[]): Promise<readonly LookupAddress[]> {
  let failure: unknown
  for (const name of names) {
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const addresses = [four, six].flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    if (addresses.length > 0) return addresses.map((address) => ({ address, family: isIP(address) }))
    failure ??= four.status === 'rejected' ? four.reason : undefined
    if (isCancelled(failure)) break
  }
  throw failure ?? new Error('the name has no address')
}

function isCancelled(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: string }
  return code === 'ECANCELLED' || code === 'ETIMEOUT'
}
