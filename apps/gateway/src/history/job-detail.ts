// One job by its id alone: as Redis has it, else as the history remembers it (ADR 79).
import { createEndFinder, fingerprintOf, headlineOf, idBytesOf, unpackJobs, withoutTimeout, type PastJob } from '@runyard/core'
import { RunyardError, type Endpoint, type EndpointEvent, type JobRecord } from '@runyard/schema'
import type { FoundJob, JobDetailView } from '@runyard/schema/api'
import { nextTurn } from '../http/turns.ts'
import { findJob } from '../jobs/find-job.ts'
import type { QueueReasons } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { toFound } from './job-search.ts'
import type { NameEndpoints, OwnEndpoints } from './own-endpoints.ts'

interface LookDeps extends Pick<GatewayDeps, 'store' | 'past'> {
  readonly reasonOf: QueueReasons
}

/** @throws RunyardError('not_found') */
export async function readJob(deps: LookDeps, own: OwnEndpoints & { readonly name: NameEndpoints }, id: string): Promise<JobDetailView> {
  return (await nowOf(deps, own, id)) ?? (await pastOf(deps, own.name, id))
}

async function nowOf(look: LookDeps, own: OwnEndpoints, id: string): Promise<JobDetailView | undefined> {
  const { store } = look
  const found = await findJob(store.jobs, [...own.all.values()], id)
  if (found === undefined) return undefined
  const { endpoint, job } = found
  const why = job.status === 'IN_QUEUE' ? await whyOf(look, found) : {}
  const [events, keyId] = await Promise.all([eventsOf(store, endpoint.id, id), store.jobs.keyIdOf(endpoint.id, id)])
  const by = keyId === undefined ? {} : { keyId }
  return { ...viewOf(endpoint, job), ...by, ...why, kept: keptOf(job), attempts: attemptsOf(events, job), events }
}

async function whyOf({ store, reasonOf }: LookDeps, { endpoint, job }: { readonly endpoint: Endpoint; readonly job: JobRecord }) {
  const ahead = await store.jobs.ahead(endpoint.id, job.id)
  return { ...(await reasonOf(endpoint, { ...job, ahead })), ...(ahead === undefined ? {} : { ahead }) }
}

/** Where there is no retry, the input goes at once (`readInput`). */
function keptOf({ status, output }: JobRecord): JobDetailView['kept'] {
  const hasInput = status !== 'COMPLETED' && status !== 'CANCELLED'
  return [...(hasInput ? (['input'] as const) : []), ...(output === undefined ? [] : (['output'] as const))]
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
    ...(error === undefined ? {} : { error: headlineOf(error), text: withoutTimeout(error) }),
    ...(error === undefined || job.status === 'CANCELLED' ? {} : { fingerprint: fingerprintOf(error) }),
  }
}

async function eventsOf(store: GatewayDeps['store'], endpointId: string, jobId: string): Promise<EndpointEvent[]> {
  const events = await store.events.list(endpointId, 1000, 'jobs')
  return events.filter((event) => event.jobId === jobId).toSorted((a, b) => a.at - b.at)
}

const FUNCTION_ENTERED = 'function entered'

/** From the events that are left of it, those of lives before a retry among them. */
function attemptsOf(events: readonly EndpointEvent[], job: Pick<JobRecord, 'submittedAt' | 'settledAt' | 'timings'>) {
  const attempts: JobDetailView['attempts'] = []
  for (const event of events) noteAttempt(attempts, event)
  const last = attempts.at(-1)
  const { submittedAt, settledAt, timings } = job
  if (last !== undefined && settledAt !== undefined && last.startedAt >= submittedAt && last.evidence === undefined) {
    last.endedAt = settledAt
    if (timings?.returnedAt !== undefined) last.returnedAt = timings.returnedAt
  }
  return attempts
}

function noteAttempt(attempts: JobDetailView['attempts'], { kind, at, workerId = '', message = '' }: EndpointEvent): void {
  const last = attempts.at(-1)
  if (kind === 'job_started' && message !== FUNCTION_ENTERED) attempts.push({ workerId, startedAt: at })
  else if (last === undefined) return
  else if (kind === 'job_started') last.enteredAt = at
  else if (kind === 'job_requeued') Object.assign(last, { endedAt: at, evidence: message })
  else if (kind === 'job_settled') last.endedAt ??= at
}

const NEWEST_CHUNKS = 128

/** The latest end of a job that only the history knows. @throws RunyardError('not_found') */
async function pastOf({ store, past }: LookDeps, name: NameEndpoints, id: string): Promise<JobDetailView> {
  const job = await findEnded({ store, past }, id)
  const endpoint = job && (await name([job.endpointId])).get(job.endpointId)
  if (job === undefined || endpoint === undefined) throw new RunyardError('not_found', `There is no job "${id}".`)
  const events = await eventsOf(store, endpoint.id, id)
  const text = job.fingerprint === undefined ? undefined : await textOf(store.history, job.endedAt, id)
  return {
    ...toFound(endpoint, job),
    kept: [],
    attempts: attemptsOf(events, { submittedAt: job.submittedAt, settledAt: job.endedAt }),
    events,
    ...(text === undefined ? {} : { text: withoutTimeout(text) }),
  }
}

/** Among the newest chunks, most of which are passed over by a look for the 16 bytes of the id, then in what is kept unpacked. */
async function findEnded({ store: { history }, past }: Pick<LookDeps, 'store' | 'past'>, id: string): Promise<PastJob | undefined> {
  const bytes = idBytesOf(id)
  const mayHave = (chunk: Uint8Array): boolean =>
    bytes === undefined || Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).includes(Buffer.from(bytes))
  const chunks = await history.chunks('jobs', { from: 0, to: Number.MAX_SAFE_INTEGER, newestFirst: true, count: NEWEST_CHUNKS })
  const job = chunks
    .filter((chunk) => mayHave(chunk.bytes))
    .flatMap((chunk) => unpackJobs(chunk.bytes).toReversed())
    .find((candidate) => candidate.id === id)
  const last = chunks.at(-1)
  if (job !== undefined || last === undefined || chunks.length < NEWEST_CHUNKS) return job
  const findEnds = createEndFinder([id])
  for await (const block of past.jobs.read({ from: 0, to: last.at })) {
    const latest = findEnds(block).toSorted((a, b) => b.endedAt - a.endedAt)[0]
    if (latest !== undefined) return latest
    await nextTurn()
  }
  return undefined
}

async function textOf(history: GatewayDeps['store']['history'], endedAt: number, id: string): Promise<string | undefined> {
  const chunks = await history.failures({ from: endedAt, to: endedAt + 60_000, count: 200 })
  return chunks.flatMap(({ failures }) => failures).find((failure) => failure.id === id && failure.endedAt === endedAt)?.text
}
