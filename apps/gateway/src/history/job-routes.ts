// GET /runyard/v1/jobs, /jobs/{id} and POST /jobs/bulk: jobs of all endpoints of a caller (ADR 79).
import type { FoundJob, JobSearchView } from '@runyard/schema/api'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { createQueueReasons, type QueueReasons } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { changeJobs } from './bulk.ts'
import { readJob } from './job-detail.ts'
import { findPast } from './job-search.ts'
import { readInput, readOutput } from './job-values.ts'
import { findLive, parseLiveCursor } from './live-search.ts'
import { ownEndpoints, pastEndpoints, type OwnEndpoints } from './own-endpoints.ts'

export function registerJobHistory(app: RestApp, deps: GatewayDeps): void {
  const route = restRoutes(app)
  const { store } = deps
  const reasonOf = createQueueReasons(deps)

  route('GET /runyard/v1/jobs', async (request): Promise<JobSearchView> => {
    const { endpoint: word, limit, cursor, ...wanted } = request.query
    const own = await pastEndpoints(store, keyOf(request).ownerId, word)
    const from = parseLiveCursor(cursor)
    const live = from === undefined ? undefined : await findLive(store, own.asked, { wanted, limit, from })
    const page = await withReasons(reasonOf, own, live?.jobs ?? [])
    // Nothing is known of the ended ones yet.
    if (live?.nextCursor !== undefined) return { jobs: [...page], nextCursor: live.nextCursor }
    await deps.history.flush()
    const past = { cursor: live === undefined ? cursor : undefined, known: page.map(({ id }) => id) }
    const ended = await findPast(deps, own.name, { wanted, limit: limit - page.length, ...past })
    return { jobs: [...page, ...ended.jobs], nextCursor: ended.nextCursor }
  })

  route('GET /runyard/v1/jobs/:id', async (request) => {
    const own = await pastEndpoints(store, keyOf(request).ownerId)
    await Promise.all([deps.events.flush(), deps.history.flush()])
    return readJob({ ...deps, reasonOf }, own, request.params.id)
  })

  const values = { input: readInput, output: readOutput } as const
  for (const name of ['input', 'output'] as const) {
    route(`GET /runyard/v1/jobs/:id/${name}`, async (request) => {
      const own = await ownEndpoints(store, keyOf(request).ownerId)
      return values[name](store, own, { id: request.params.id, bytes: request.query.bytes })
    })
  }

  route('POST /runyard/v1/jobs/bulk', (request) => changeJobs(deps, request, request.body))
}

async function withReasons(reasonOf: QueueReasons, { all }: OwnEndpoints, jobs: readonly FoundJob[]): Promise<readonly FoundJob[]> {
  return Promise.all(
    jobs.map(async (job) => {
      const endpoint = all.get(job.endpoint.id)
      if (job.status !== 'IN_QUEUE' || endpoint === undefined) return job
      const { reason, message } = await reasonOf(endpoint, job)
      return { ...job, reason, message }
    }),
  )
}
