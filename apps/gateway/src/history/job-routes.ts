// GET /runyard/v1/jobs, /jobs/{id}, its /input and /output, and POST /jobs/bulk: jobs of all endpoints of a caller (ADR 79).
import type { FoundJob, JobSearchView, JobValueView } from '@runyard/schema/api'
import { RunyardError, type JsonText } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { createQueueReasons, type QueueReasons } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { changeJobs } from './bulk.ts'
import { readJob } from './job-detail.ts'
import { findPast } from './job-search.ts'
import { findLive, parseLiveCursor } from './live-search.ts'
import { ownEndpoints, pastEndpoints, type OwnEndpoints } from './own-endpoints.ts'
import { describeGone, findJob } from '../jobs/find-job.ts'

export function registerJobHistory(app: RestApp, deps: GatewayDeps): void {
  const { store } = deps
  const route = restRoutes(app)
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

interface Asked {
  readonly id: string
  /** How much of it. */
  readonly bytes: number
}

/** @throws RunyardError('not_found') */
async function readInput(store: Pick<Store, 'jobs'>, own: OwnEndpoints, { id, bytes }: Asked): Promise<JobValueView> {
  const { endpoint } = (await findJob(store.jobs, [...own.all.values()], id)) ?? (await failGone(store, own, id))
  const submission = await store.jobs.submission(endpoint.id, id)
  if (submission !== undefined) return beginningOf(submission.input, bytes)
  throw new RunyardError(
    'not_found',
    `The input of job "${id}" is not kept any more: it goes when a job completes or is cancelled, and with the result of a failed one.`,
  )
}

/** @throws RunyardError('not_found') */
async function readOutput(store: Pick<Store, 'jobs'>, own: OwnEndpoints, { id, bytes }: Asked): Promise<JobValueView> {
  const { job: record } = (await findJob(store.jobs, [...own.all.values()], id)) ?? (await failGone(store, own, id))
  if (record.output === undefined) throw new RunyardError('not_found', `Job "${id}" has no output; it is ${record.status}.`)
  return beginningOf(record.output, bytes)
}

async function failGone({ jobs }: Pick<Store, 'jobs'>, { all }: OwnEndpoints, id: string): Promise<never> {
  const found = await Promise.all([...all.keys()].map((endpointId) => jobs.whyGone(endpointId, id)))
  const gone = found.find((one) => one !== undefined)
  throw new RunyardError('not_found', gone === undefined ? `Redis has no job "${id}" any more.` : `Job "${id}" ${describeGone(gone)}.`)
}

/** A look at a job of 30 MB costs 4 KiB (ADR 91). No character is cut in two. */
function beginningOf(value: JsonText, bytes: number): JobValueView {
  const whole = typeof value === 'string' ? Buffer.from(value) : value
  const text = new TextDecoder().decode(whole.subarray(0, bytes), { stream: whole.length > bytes })
  return { text, bytes: whole.length, isWhole: whole.length <= bytes }
}
