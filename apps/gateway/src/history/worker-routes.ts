// GET /runyard/v1/workers and /workers/{id}: workers that there are, from their records, and those that are gone, from the history.
import { defined, phaseOf } from '@runyard/core'
import { RunyardError, WorkerLife, type Endpoint, type WorkerRecord } from '@runyard/schema'
import type { WorkerLifeView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { pastEndpoints, rangeOf, type NameEndpoints, type PastEndpoint } from './own-endpoints.ts'

export function registerWorkerHistory(app: RestApp, { store, past }: Pick<GatewayDeps, 'store' | 'past'>): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/workers', async (request) => {
    const { endpoint: word, limit, ...span } = request.query
    const own = await pastEndpoints(store, keyOf(request).ownerId, word)
    const range = rangeOf(span)
    const isNow = span.until === undefined || span.until >= Date.now()
    const there = isNow ? await Promise.all(own.asked.map((endpoint) => workersOf(store, endpoint))) : []
    const lives = await past.lives(range)
    const asked = await own.name(lives.map(({ endpointId }) => endpointId))
    const views = [...there.flat(), ...lives.flatMap((life) => viewOfLife(life, asked.get(life.endpointId)) ?? [])]
    const isFirst = firstOfEach()
    return { workers: await counted(store, views.filter(({ id }) => isFirst(id)).slice(0, limit)) }
  })

  route('GET /runyard/v1/workers/:id', async (request) => {
    const { id } = request.params
    const own = await pastEndpoints(store, keyOf(request).ownerId)
    const [view] = await counted(store, [(await findNow(store, [...own.all.values()], id)) ?? (await findGone(store, own.name, id))])
    if (view === undefined) throw notFound(id)
    return view
  })
}

const notFound = (id: string): RunyardError => new RunyardError('not_found', `Worker "${id}" was not found.`)

/** A worker that is being cleared away is there and in the history. */
function firstOfEach(): (id: string) => boolean {
  const seen = new Set<string>()
  return (id) => !seen.has(id) && seen.add(id).size > 0
}

async function workersOf(store: Pick<Store, 'workers' | 'jobs' | 'hosts'>, endpoint: Endpoint): Promise<readonly WorkerLifeView[]> {
  const records = await store.workers.list(endpoint.id)
  if (records.length === 0) return []
  const [leases, hosts] = await Promise.all([store.jobs.leases(endpoint.id), store.hosts.list()])
  const labels = new Map(hosts.map(({ hostId, sight }) => [hostId, sight?.label ?? hostId]))
  return records
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .map((record) => {
      const held = leases.filter(({ workerId }) => workerId === record.id).length
      return { ...viewOf(record, endpoint, labels.get(record.hostId) ?? record.hostId), phase: phaseOf(record, held) }
    })
}

async function findNow(store: Store, own: readonly Endpoint[], id: string): Promise<WorkerLifeView | undefined> {
  const found = await Promise.all(own.map(async (endpoint) => ((await store.workers.get(endpoint.id, id)) === undefined ? [] : [endpoint])))
  const [endpoint] = found.flat()
  return endpoint === undefined ? undefined : (await workersOf(store, endpoint)).find((worker) => worker.id === id)
}

/** @throws RunyardError('not_found') */
async function findGone(store: Store, name: NameEndpoints, id: string): Promise<WorkerLifeView> {
  const text = await store.history.life(id)
  const life = text === undefined ? undefined : WorkerLife.safeParse(JSON.parse(text)).data
  const view = life && viewOfLife(life, (await name([life.endpointId])).get(life.endpointId))
  if (view === undefined) throw notFound(id)
  return view
}

type ViewedFields = Pick<
  WorkerRecord,
  'id' | 'hostId' | 'gpus' | 'image' | 'endpointVersion' | 'startReason' | 'createdAt' | 'jobsAtOnce' | keyof typeof TIMES
>
const TIMES = {
  imageReadyAt: 'imageReady',
  containerStartedAt: 'containerStarted',
  readyAt: 'ready',
  firstEnteredAt: 'firstFunction',
  outdatedSince: 'outdated',
  drainingSince: 'draining',
} as const

function viewOf(worker: ViewedFields, { id, name, isDeleted }: PastEndpoint, host: string): Omit<WorkerLifeView, 'phase'> {
  const times = Object.entries(TIMES).map(([from, to]) => [to, worker[from as keyof typeof TIMES]])
  return {
    id: worker.id,
    endpoint: { id, name, ...(isDeleted && { isDeleted }) },
    host,
    hostId: worker.hostId,
    gpus: worker.gpus.map(({ uuid, name: type, simulated }) => ({ uuid, name: type, simulated })),
    image: worker.image,
    version: worker.endpointVersion,
    startReason: worker.startReason,
    ...(worker.jobsAtOnce !== undefined && { jobsAtOnce: worker.jobsAtOnce }),
    times: defined({ placed: worker.createdAt, ...Object.fromEntries(times) }) as WorkerLifeView['times'],
    jobs: 0,
    failed: 0,
  }
}

/** Undefined where its endpoint is not the caller's. */
function viewOfLife(life: WorkerLife, endpoint: PastEndpoint | undefined): WorkerLifeView | undefined {
  if (endpoint === undefined) return undefined
  const { goneAt, endReason, message, exitCode, oomKilled } = life
  const view = viewOf(life, endpoint, life.host)
  return defined({ ...view, phase: 'gone', times: { ...view.times, gone: goneAt }, endReason, message, exitCode, oomKilled } as const)
}

async function counted({ history }: Pick<Store, 'history'>, views: readonly WorkerLifeView[]): Promise<WorkerLifeView[]> {
  const counts = await history.jobCounts(views.map(({ id }) => id))
  return views.map((view, index) => ({ ...view, ...counts[index] }))
}
