// Open requests of load-balanced endpoints, as each gateway last reported them: a field per gateway. What a gateway that died has reported counts until it
// is too old; a report costs two commands, however many requests it is about.
import type { StoreContext } from '../context.ts'

export interface RequestReport {
  readonly at: number
  /** Requests without a worker, and since when the oldest waits. */
  readonly held: number
  readonly oldestHeldAt?: number | undefined
  /** Requests that it answers, by worker. */
  readonly open: Readonly<Record<string, number>>
  /** Requests that begin, lately; absent: none, or an older version wrote this. */
  readonly perSecond?: number
}

export interface RequestLoad {
  readonly held: number
  readonly oldestHeldAt: number | undefined
  readonly open: ReadonlyMap<string, number>
  readonly perSecond: number
}

export type RequestStore = ReturnType<typeof createRequestStore>

/** A gateway reports every 5 s while it has requests. */
const STALE_MS = 15_000
const KEEP_S = 60

export function createRequestStore({ client, keys, signals }: StoreContext) {
  return {
    /** `undefined`: this gateway has none. */
    async report(endpointId: string, gatewayId: string, report: RequestReport | undefined): Promise<void> {
      const key = keys.of(endpointId, 'requests')
      if (report === undefined) await client.hdel(key, gatewayId)
      else await client.multi().hset(key, gatewayId, JSON.stringify(report)).expire(key, KEEP_S).exec()
      signals.publish({ kind: 'requests-changed', endpointId })
    },
    /** Of all gateways. */
    async load(endpointId: string): Promise<RequestLoad> {
      const since = Date.now() - STALE_MS
      const fields = Object.values(await client.hgetall(keys.of(endpointId, 'requests')))
      return sum(fields.map((text): RequestReport => JSON.parse(text)).filter(({ at }) => at > since))
    },
  }
}

function sum(reports: readonly RequestReport[]): RequestLoad {
  const open = new Map<string, number>()
  for (const report of reports) {
    for (const [workerId, count] of Object.entries(report.open)) open.set(workerId, (open.get(workerId) ?? 0) + count)
  }
  const times = reports.flatMap(({ oldestHeldAt }) => oldestHeldAt ?? [])
  const held = reports.reduce((total, report) => total + report.held, 0)
  const perSecond = reports.reduce((total, report) => total + (report.perSecond ?? 0), 0)
  return { held, oldestHeldAt: times.length === 0 ? undefined : Math.min(...times), open, perSecond }
}
