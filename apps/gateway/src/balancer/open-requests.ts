// Requests that this gateway holds or has handed to workers, and what the scaler needs to know of them (ADR 70). A report per endpoint is written at once when
// it grows, else twice a second, so that a request costs no Redis command. What is reported goes stale within 15 s, so a gateway that has requests repeats it.
import { randomUUID } from 'node:crypto'
import { createRequestRate, type RequestRate } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { RequestReport, Store } from '@runyard/store'

const GROWN_MS = 20
const OTHERWISE_MS = 500
const REPEAT_MS = 5000

export type OpenRequests = ReturnType<typeof createOpenRequests>

interface Site {
  readonly held: Set<{ readonly since: number }>
  readonly open: Map<string, number>
  /** Workers whose last request has ended since the last report, and when. */
  readonly ended: Map<string, number>
  readonly rate: RequestRate
  begun: number
  /** In the last report. */
  reported: number
  timer: NodeJS.Timeout | undefined
  dueAt: number
}

type Deps = { readonly store: Pick<Store, 'requests' | 'workers'>; readonly log: Logger }

export function createOpenRequests(deps: Deps) {
  const sites: Sites = new Map()
  const reporter = createReporter(deps, sites)
  const { changed } = reporter
  return {
    /** A request waits for a worker; the returned function ends that. */
    hold(endpointId: string): () => void {
      const site = siteOf(sites, endpointId)
      const entry = { since: Date.now() }
      site.held.add(entry)
      changed(endpointId, site)
      return () => {
        if (site.held.delete(entry)) changed(endpointId, site)
      }
    },
    /** A worker answers a request; the returned function ends that. */
    begin(endpointId: string, workerId: string): () => void {
      const site = siteOf(sites, endpointId)
      site.open.set(workerId, (site.open.get(workerId) ?? 0) + 1)
      site.rate.note(Date.now())
      site.begun += 1
      changed(endpointId, site)
      return once(() => {
        const left = (site.open.get(workerId) ?? 1) - 1
        if (left > 0) site.open.set(workerId, left)
        else site.open.delete(workerId)
        site.ended.set(workerId, Date.now())
        changed(endpointId, site)
      })
    },
    openOf: (endpointId: string, workerId: string): number => sites.get(endpointId)?.open.get(workerId) ?? 0,
    /** All that this gateway has of the endpoint, held ones included. */
    total(endpointId: string): number {
      const site = sites.get(endpointId)
      return site === undefined ? 0 : countOf(site)
    },
    /** Requests that it has handed to workers, lately. */
    perSecond: (endpointId: string): number => sites.get(endpointId)?.rate.perSecond(Date.now()) ?? 0,
    /** Grows by one with each request that is handed to a worker. */
    begun: (endpointId: string): number => sites.get(endpointId)?.begun ?? 0,
    [Symbol.asyncDispose]: reporter.end,
  }
}

type Sites = Map<string, Site>

/** An endpoint keeps its site while it has requests, a rate or a report to make. */
function siteOf(sites: Sites, endpointId: string): Site {
  const known = sites.get(endpointId)
  if (known !== undefined) return known
  const none = { held: new Set<{ readonly since: number }>(), open: new Map<string, number>(), ended: new Map<string, number>() }
  const site: Site = { ...none, rate: createRequestRate(), begun: 0, reported: 0, timer: undefined, dueAt: Infinity }
  sites.set(endpointId, site)
  return site
}

function createReporter({ store, log }: Deps, sites: Sites) {
  const gatewayId = randomUUID()

  function reportIn(endpointId: string, site: Site, ms: number): void {
    const at = Date.now() + ms
    if (at >= site.dueAt) return
    clearTimeout(site.timer)
    site.dueAt = at
    site.timer = setTimeout(() => void report(endpointId, site), ms).unref()
  }

  async function report(endpointId: string, site: Site): Promise<void> {
    site.dueAt = Infinity
    const ended = [...site.ended].filter(([workerId]) => !site.open.has(workerId))
    site.ended.clear()
    site.reported = countOf(site)
    try {
      await store.requests.report(endpointId, gatewayId, toReport(site))
      for (const [workerId, lastJobEndedAt] of ended) {
        await store.workers.patch({ endpointId, workerId, fields: { lastJobEndedAt }, quiet: true })
      }
    } catch (error) {
      log.warn({ err: error, endpointId }, 'open requests could not be reported; the next report has them')
    }
    if (toReport(site) !== undefined) reportIn(endpointId, site, REPEAT_MS)
    else if (site.dueAt === Infinity && sites.get(endpointId) === site) sites.delete(endpointId)
  }

  return {
    changed: (endpointId: string, site: Site): void => {
      reportIn(endpointId, site, countOf(site) > site.reported ? GROWN_MS : OTHERWISE_MS)
    },
    end: async (): Promise<void> => {
      for (const { timer } of sites.values()) clearTimeout(timer)
      await Promise.allSettled([...sites.keys()].map((endpointId) => store.requests.report(endpointId, gatewayId, undefined)))
    },
  }
}

function countOf({ held, open }: Site): number {
  let count = held.size
  for (const of of open.values()) count += of
  return count
}

function toReport(site: Site): RequestReport | undefined {
  const perSecond = site.rate.perSecond(Date.now())
  if (countOf(site) === 0 && perSecond === 0) return undefined
  const [oldest] = site.held
  const oldestHeldAt = oldest === undefined ? {} : { oldestHeldAt: oldest.since }
  return { at: Date.now(), held: site.held.size, ...oldestHeldAt, open: Object.fromEntries(site.open), perSecond }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}
