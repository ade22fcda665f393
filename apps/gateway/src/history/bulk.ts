// POST /runyard/v1/jobs/bulk: retries or cancels all jobs that match, at most `limit`; a dry run only counts. Each job is changed as by its own call, so
// what has moved on meanwhile is refused with the reason.
import type { Endpoint } from '@runyard/schema'
import type { BulkBody, BulkView, FoundJob } from '@runyard/schema/api'
import type { FastifyRequest } from 'fastify'
import { apiKeyOf } from '../http/authenticate.ts'
import { cancelJob, retryJob } from '../jobs/cancel-retry-purge.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { findPast, type Wanted } from './job-search.ts'
import { findAllLive } from './live-search.ts'
import { naming, ownEndpoints } from './own-endpoints.ts'

const AT_ONCE = 16
const SAMPLE = 20
const WHY = 'the job was cancelled by its caller'

export async function changeJobs(deps: GatewayDeps, request: FastifyRequest, body: BulkBody): Promise<BulkView> {
  const { action, limit, dryRun } = body
  const { endpoint: word, ...wanted } = body.filter
  const own = await ownEndpoints(deps.store, apiKeyOf(request).ownerId, word)
  const found = await (action === 'cancel' ? toCancel : toRetry)(deps, own.asked, { wanted, limit })
  const jobs = found.slice(0, limit)
  const refused = dryRun
    ? []
    : await changeAll(jobs, own.all, (endpoint, jobId) =>
        action === 'cancel' ? cancelOne(deps, endpoint, jobId) : retryJob(deps, request, { endpoint, jobId }),
      )
  return {
    matched: jobs.length,
    done: dryRun ? 0 : jobs.length - refused.length,
    refused: [...Map.groupBy(refused, (why) => why)].map(([why, all]) => ({ why, jobs: all.length })),
    sample: jobs.slice(0, SAMPLE).map(({ id }) => id),
    isMore: found.length > limit,
  }
}

/** Why each of those that were not changed was refused. */
async function changeAll(
  jobs: readonly FoundJob[],
  endpoints: ReadonlyMap<string, Endpoint>,
  change: (endpoint: Endpoint, jobId: string) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const refused: string[] = []
  for (let from = 0; from < jobs.length; from += AT_ONCE) {
    const some = jobs.slice(from, from + AT_ONCE).map(async ({ id, endpoint: { id: endpointId } }) => {
      const endpoint = endpoints.get(endpointId)
      return endpoint === undefined ? 'its endpoint is gone' : change(endpoint, id)
    })
    refused.push(...(await Promise.all(some)).filter((why) => why !== undefined))
  }
  return refused
}

/** Undefined: this call cancelled it. */
async function cancelOne(deps: GatewayDeps, endpoint: Endpoint, jobId: string): Promise<string | undefined> {
  const result = await cancelJob(deps, endpoint, { jobId, why: WHY })
  return result === 'settled' ? undefined : 'the job had ended already'
}

type Find = (
  deps: GatewayDeps,
  endpoints: readonly Endpoint[],
  what: { readonly wanted: Wanted; readonly limit: number },
) => Promise<readonly FoundJob[]>

const toCancel: Find = async ({ store }, endpoints, { wanted, limit }) => {
  const isEnded = wanted.status !== undefined && wanted.status !== 'IN_QUEUE' && wanted.status !== 'IN_PROGRESS'
  const jobs = isEnded ? [] : await findAllLive(store, endpoints, { wanted, limit: limit + 1 })
  return jobs.filter(({ endedAt }) => endedAt === undefined)
}

/** Each job once, even if it failed several times. */
const toRetry: Find = async (deps, endpoints, { wanted, limit }) => {
  const { store } = deps
  const found = new Map<string, FoundJob>()
  for (const status of ['FAILED', 'TIMED_OUT'] as const) {
    if (wanted.status !== undefined && wanted.status !== status) continue
    const asked = { wanted: { ...wanted, status }, limit: limit + 1 }
    const past = store.history.isKept ? (await findPast(deps, naming(endpoints), asked)).jobs : await findAllLive(store, endpoints, asked)
    for (const job of past) found.set(job.id, job)
  }
  return [...found.values()]
}
