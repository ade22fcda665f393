// An endpoint's workers as they are now, its history, and a new try of what failed to start. The status of a worker merges its record with the jobs that it holds.
import { countLeases } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import { ONE_PAGE } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'
import { workerListReply, type WorkerFacts } from './replies.ts'

export interface WorkerRouteDeps {
  readonly model: Pick<ManagementModel, 'get' | 'retry'>
  readonly store: Pick<Store, 'workers' | 'jobs' | 'status' | 'events'>
}

export function registerWorkerRoutes(app: RestApp, { model, store }: WorkerRouteDeps): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => model.get(ownerId, id) })
  route('GET /v2/serverless/:id/workers', async (request) =>
    workerListReply(await workerFacts(store, await model.get(keyOf(request).ownerId, request.params.id))),
  )

  // Not Runpod's: forgets failed starts, so that the next one is tried now, and workers whose image was rebuilt are replaced.
  ownRoute('POST /runyard/v1/endpoints/:id/retry', async (request) => {
    const at = Date.now()
    const { id, name } = await model.retry(keyOf(request).ownerId, request.params.id, at)
    await store.events.append({ at, endpointId: id, kind: 'endpoint_retried', message: 'earlier failed starts are forgotten' })
    return { id, name, retriedAt: new Date(at).toISOString() }
  })

  // Not Runpod's: what happened to the endpoint's jobs and workers, oldest first, times in epoch milliseconds.
  route('GET /v2/serverless/:id/events', async (request) => {
    const { id } = await model.get(keyOf(request).ownerId, request.params.id)
    const events = await store.events.list(id, request.query.limit, request.query.about)
    // They stand in the order in which they were written, and each process writes its own a little later.
    return { events: events.toSorted((a, b) => a.at - b.at), pagination: ONE_PAGE }
  })
}

async function workerFacts(store: WorkerRouteDeps['store'], endpoint: Endpoint): Promise<WorkerFacts> {
  const [records, leases, status] = await Promise.all([
    store.workers.list(endpoint.id),
    store.jobs.leases(endpoint.id),
    store.status.get(endpoint.id),
  ])
  return { endpoint, workers: countLeases(records, leases), status, now: Date.now() }
}
