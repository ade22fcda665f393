// GET /runyard/v1/failures: failed jobs of a range, grouped by endpoint and fingerprint.
import { withoutTimeout } from '@runyard/core'
import type { FailureListView } from '@runyard/schema/api'
import type { PastFailure, Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import { pastEndpoints, rangeOf, type PastEndpoint } from './own-endpoints.ts'
import type { SharedAnswers } from '../http/shared-answers.ts'

const CHUNKS_AT_ONCE = 200
/** Some megabytes of JSON. */
const MOST_CHUNKS = 20_000

interface Group {
  readonly endpoint: PastEndpoint
  /** Ids: a job that was retried may have failed so several times. */
  readonly jobs: Set<string>
  firstAt: number
  latest: PastFailure
  readonly workers: Set<string>
}

export function registerFailureRoute(app: RestApp, { store }: { readonly store: Store }, shared: SharedAnswers): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/failures', (request, reply) =>
    shared.answer(request, reply, () => readFailures(store, keyOf(request).ownerId, request.query)),
  )
}

interface Query {
  readonly endpoint?: string | undefined
  readonly limit: number
  readonly since?: number | undefined
  readonly until?: number | undefined
}

async function readFailures(store: Store, ownerId: string, { endpoint: word, limit, ...span }: Query): Promise<FailureListView> {
  const own = await pastEndpoints(store, ownerId, word)
  const groups = new Map<string, Group>()
  const isComplete = await eachFailure(store, rangeOf(span), async (failures) => {
    const endpoints = await own.name(failures.map(({ endpointId }) => endpointId))
    for (const failure of failures) {
      const endpoint = endpoints.get(failure.endpointId)
      if (endpoint !== undefined) count(groups, endpoint, failure)
    }
  })
  const failures = [...groups.values()].toSorted((a, b) => b.jobs.size - a.jobs.size || b.latest.endedAt - a.latest.endedAt)
  return {
    failures: failures.slice(0, limit).map(viewOf),
    total: failures.reduce((sum, group) => sum + group.jobs.size, 0),
    isComplete,
  }
}

/** False where there are too many to read. */
async function eachFailure(
  { history }: Pick<Store, 'history'>,
  { from, to }: { readonly from: number; readonly to: number },
  take: (failures: readonly PastFailure[]) => Promise<void>,
): Promise<boolean> {
  let after: string | undefined
  for (let read = 0; read < MOST_CHUNKS; read += CHUNKS_AT_ONCE) {
    const chunks = await history.failures({ from, to: to + 60_000, after, newestFirst: true, count: CHUNKS_AT_ONCE })
    await take(chunks.flatMap(({ failures }) => failures.filter(({ endedAt }) => endedAt >= from && endedAt <= to)))
    after = chunks.at(-1)?.id
    if (chunks.length < CHUNKS_AT_ONCE) return true
    await nextTurn()
  }
  return false
}

const newGroup = (endpoint: PastEndpoint, latest: PastFailure): Group => ({
  endpoint,
  jobs: new Set(),
  firstAt: latest.endedAt,
  latest,
  workers: new Set(),
})

function count(groups: Map<string, Group>, endpoint: PastEndpoint, failure: PastFailure): void {
  const name = `${failure.endpointId} ${failure.fingerprint}`
  const group = groups.get(name) ?? newGroup(endpoint, failure)
  groups.set(name, group)
  group.jobs.add(failure.id)
  group.firstAt = Math.min(group.firstAt, failure.endedAt)
  if (failure.endedAt > group.latest.endedAt) group.latest = failure
  if (failure.workerId !== undefined) group.workers.add(failure.workerId)
}

function viewOf({ endpoint, jobs, firstAt, latest, workers }: Group): FailureListView['failures'][number] {
  const { fingerprint, endedAt, id, workerId, error = '', text } = latest
  return {
    fingerprint,
    endpoint,
    error,
    count: jobs.size,
    firstAt,
    lastAt: endedAt,
    workers: workers.size,
    example: { jobId: id, ...(workerId === undefined ? {} : { workerId }), text: withoutTimeout(text) },
  }
}
