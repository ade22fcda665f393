// GET /runyard/v1/jobs, /jobs/{id} and POST /jobs/bulk: jobs of all endpoints of a caller (ADR 79).
import { headlineOf, idBytesOf, unpackJobs, type PastJob } from '@runyard/core'
import { RunyardError, type Endpoint, type EndpointEvent, type JobRecord } from '@runyard/schema'
import type { FoundJob, JobDetailView, JobSearchView } from '@runyard/schema/api'
import { keyOf, restRoute, type RestApp } from '../management/rest/conventions.ts'
import { nextTurn } from '../http/turns.ts'
import { createQueueReasons, type QueueReasons } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { changeJobs } from './bulk.ts'
import { findLive, findPast, toFound } from './job-search.ts'
import { ownEndpoints, type OwnEndpoints } from './own-endpoints.ts'

export function registerJobHistory(app: RestApp, deps: GatewayDeps): void {
  const { store } = deps
  const reasonOf = createQueueReasons(deps)

  app.route({
    ...restRoute('GET /runyard/v1/jobs'),
    handler: async (request): Promise<JobSearchView> => {
      const { endpoint: word, limit, cursor, ...wanted } = request.query
      const own = await ownEndpoints(store, keyOf(request).ownerId, word)
      const { live, past } = splitCursor(cursor)
      const waiting = live === undefined ? { jobs: [], notListed: 0 } : await findLive(store, own.asked, wanted)
      const page = await withReasons(reasonOf, own, waiting.jobs.slice(live, (live ?? 0) + limit))
      const notListed = waiting.notListed === 0 ? {} : { notListed: waiting.notListed }
      // Where the page is full, nothing is known of the ended ones yet.
      if (page.length === limit) return { jobs: [...page], nextCursor: `live.${(live ?? 0) + limit}`, ...notListed }
      const ended = await findPast(store, own.asked, { wanted, limit: limit - page.length, cursor: past })
      return { jobs: [...page, ...ended.jobs], nextCursor: ended.nextCursor, ...notListed }
    },
  })

  app.route({
    ...restRoute('GET /runyard/v1/jobs/:id'),
    handler: async (request) => {
      const own = await ownEndpoints(store, keyOf(request).ownerId)
      return (await nowOf({ store, reasonOf }, own, request.params.id)) ?? (await pastOf(store, own, request.params.id))
    },
  })

  app.route({
    ...restRoute('POST /runyard/v1/jobs/bulk'),
    handler: (request) => changeJobs(deps, request, request.body),
  })
}

/** A cursor among waiting jobs, or in the history. */
function splitCursor(cursor: string | undefined): { readonly live?: number; readonly past?: string } {
  const match = /^live\.(\d{1,6})$/u.exec(cursor ?? 'live.0')
  return match === null ? { past: cursor ?? '' } : { live: Number(match[1]) }
}

async function withReasons(reasonOf: QueueReasons, { all }: OwnEndpoints, jobs: readonly FoundJob[]): Promise<readonly FoundJob[]> {
  return Promise.all(
    jobs.map(async (job) => {
      const endpoint = all.get(job.endpoint.id)
      if (job.status !== 'IN_QUEUE' || endpoint === undefined) return job
      const { id, status, submittedAt, retries } = job
      const { reason, message } = await reasonOf(endpoint, { id, status, submittedAt, retries })
      return { ...job, reason, message }
    }),
  )
}

interface LookDeps extends Pick<GatewayDeps, 'store'> {
  readonly reasonOf: QueueReasons
}

/** A job that Redis still has, with its result or without. */
async function nowOf({ store, reasonOf }: LookDeps, { all }: OwnEndpoints, id: string): Promise<JobDetailView | undefined> {
  const found = await Promise.all([...all.values()].map(async (endpoint) => ({ endpoint, job: await store.jobs.get(endpoint.id, id) })))
  const one = found.find(({ job }) => job !== undefined)
  if (one?.job === undefined) return undefined
  const { endpoint, job } = one
  const why = job.status === 'IN_QUEUE' ? await reasonOf(endpoint, job) : {}
  const events = await eventsOf(store, endpoint.id, id)
  return { ...viewOf(endpoint, job), ...why, attempts: attemptsOf(events, job.settledAt), events }
}

function viewOf({ id, name }: Endpoint, job: JobRecord): FoundJob & Pick<JobDetailView, 'text'> {
  const { submittedAt, startedAt, settledAt: endedAt, workerId, error } = job
  return {
    id: job.id,
    endpoint: { id, name },
    status: job.status,
    submittedAt,
    retries: job.retries,
    ...(startedAt === undefined ? {} : { startedAt, delayMs: Math.max(0, startedAt - submittedAt) }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(startedAt === undefined || endedAt === undefined ? {} : { runMs: Math.max(0, endedAt - startedAt) }),
    ...(workerId === undefined ? {} : { workerId }),
    ...(error === undefined ? {} : { error: headlineOf(error), text: error }),
  }
}

async function eventsOf(store: GatewayDeps['store'], endpointId: string, jobId: string): Promise<EndpointEvent[]> {
  const events = await store.events.list(endpointId, 1000, 'jobs')
  return events.filter((event) => event.jobId === jobId).toSorted((a, b) => a.at - b.at)
}

const FUNCTION_ENTERED = 'function entered'

/** From the events that are left of it. */
function attemptsOf(events: readonly EndpointEvent[], endedAt: number | undefined): JobDetailView['attempts'] {
  const attempts: JobDetailView['attempts'] = []
  for (const event of events) noteAttempt(attempts, event)
  const last = attempts.at(-1)
  if (last !== undefined && endedAt !== undefined) last.endedAt ??= endedAt
  return attempts
}

function noteAttempt(attempts: JobDetailView['attempts'], { kind, at, workerId = '', message = '' }: EndpointEvent): void {
  const last = attempts.at(-1)
  if (kind === 'job_started' && message !== FUNCTION_ENTERED) attempts.push({ workerId, startedAt: at })
  else if (last === undefined) return
  else if (kind === 'job_started') last.enteredAt = at
  else if (kind === 'job_requeued') Object.assign(last, { endedAt: at, evidence: message })
}

const CHUNKS_AT_ONCE = 256

/** The latest end of a job that only the history knows. @throws RunyardError('not_found') */
async function pastOf(store: GatewayDeps['store'], { all }: OwnEndpoints, id: string): Promise<JobDetailView> {
  const job = await findEnded(store.history, id)
  const endpoint = all.get(job?.endpointId ?? '')
  if (job === undefined || endpoint === undefined) throw new RunyardError('not_found', `There is no job "${id}".`)
  const events = await eventsOf(store, endpoint.id, id)
  const text = job.fingerprint === undefined ? undefined : await textOf(store.history, job.endedAt, id)
  return { ...toFound(endpoint, job), attempts: attemptsOf(events, job.endedAt), events, ...(text === undefined ? {} : { text }) }
}

/** Most chunks are passed over by a look for the 16 bytes of the id, without unpacking them. */
async function findEnded(history: GatewayDeps['store']['history'], id: string): Promise<PastJob | undefined> {
  const bytes = idBytesOf(id)
  const mayHave = (chunk: Uint8Array): boolean =>
    bytes === undefined || Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).includes(Buffer.from(bytes))
  let after: string | undefined
  for (;;) {
    const range = { from: 0, to: Number.MAX_SAFE_INTEGER, after, newestFirst: true, count: CHUNKS_AT_ONCE }
    const chunks = await history.chunks('jobs', range)
    const job = chunks
      .filter((chunk) => mayHave(chunk.bytes))
      .flatMap((chunk) => unpackJobs(chunk.bytes).toReversed())
      .find((candidate) => candidate.id === id)
    after = chunks.at(-1)?.id
    if (job !== undefined || chunks.length < CHUNKS_AT_ONCE) return job
    await nextTurn()
  }
}

async function textOf(history: GatewayDeps['store']['history'], endedAt: number, id: string): Promise<string | undefined> {
  const chunks = await history.failures({ from: endedAt, to: endedAt + 60_000, count: 200 })
  return chunks.flatMap(({ failures }) => failures).find((failure) => failure.id === id)?.text
}
