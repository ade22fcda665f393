// GET /runyard/v1/explain/:id: why a job waits or an endpoint has no further worker (ADR 54). What the leading scaler last saw of the hosts is judged by
// core; workers of other owners are not named.
import {
  budgetOn,
  countLeases,
  deploymentOf,
  describeGpuRequest,
  explainPlacement,
  gpuBudgetOf,
  healthCounters,
  inGib,
  pythonOf,
  queueReason,
  remediesOf,
  rollBackOf,
  runtimeOf,
  volumeNeeds,
  type Holder,
  type Holding,
  type JobInQueue,
  type VolumeNeeds,
} from '@runyard/core'
import {
  cutText,
  Reason,
  RunyardError,
  type Config,
  type Endpoint,
  type HostRecord,
  type JobRecord,
  type WorkerRecord,
} from '@runyard/schema'
import type { ExplainView } from '@runyard/schema/api'
import type { ScalerStatus, Store } from '@runyard/store'
import { findJob } from '../../jobs/find-job.ts'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export interface ExplainDeps {
  readonly config: Pick<Config, 'runtimes'>
  readonly model: Pick<ManagementModel, 'list' | 'volumes'>
  readonly store: Pick<Store, 'jobs' | 'workers' | 'workerLogs' | 'status' | 'hosts' | 'endpoints' | 'volumes' | 'resources'>
}

export function registerExplainRoute(app: RestApp, deps: ExplainDeps): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/explain/:id', async (request) => {
    const own = await deps.model.list(keyOf(request).ownerId)
    return explain(deps, own, await find(deps, own, request.params.id))
  })
}

interface Subject {
  readonly endpoint: Endpoint
  readonly job?: JobRecord
}

/** An endpoint by id, else by name, else a job of one of them. @throws RunyardError('not_found') */
async function find({ store }: ExplainDeps, own: readonly Endpoint[], word: string): Promise<Subject> {
  const endpoint = own.find(({ id }) => id === word) ?? own.find(({ name }) => name === word)
  if (endpoint !== undefined) return { endpoint }
  const found = await findJob(store.jobs, own, word)
  if (found === undefined) throw new RunyardError('not_found', `There is no endpoint and no job "${word}".`)
  return found
}

/** Of the build that its next worker runs; undefined: any. */
async function pythonFor({ store: { resources } }: ExplainDeps, endpoint: Endpoint): Promise<string | undefined> {
  const { ownerId, flashEnvironmentId, buildId } = endpoint
  const environment = flashEnvironmentId === null ? undefined : await resources.environments.find(ownerId, flashEnvironmentId)
  if (environment === undefined) return undefined
  const ids = [buildId, environment.activeBuildId].flatMap((id) => id ?? [])
  const builds = (await Promise.all(ids.map((id) => resources.builds.find(ownerId, id)))).flatMap((build) => build ?? [])
  const apps = { environments: new Map([[environment.id, environment]]), builds: new Map(builds.map((build) => [build.id, build])) }
  return pythonOf(deploymentOf(endpoint, apps))
}

async function explain(deps: ExplainDeps, own: readonly Endpoint[], { endpoint, job }: Subject): Promise<ExplainView> {
  const { store } = deps
  const { id, settings, spec } = endpoint
  const [demand, leases, status, hosts, workers] = await Promise.all([
    store.jobs.stats(id),
    store.jobs.leases(id),
    store.status.get(id),
    store.hosts.list(),
    allWorkers(deps),
  ])
  const mine = workers.filter(({ endpointId }) => endpointId === id)
  const counters = healthCounters(countLeases(mine, leases), status)
  const shortfall = shortfallOf(status)
  const { remedy, isForPlace, ...why } =
    whyOf(job) ?? queueReason({ settings, demand, workers: counters, shortfall }, await placeOf(store, id, job))
  const holders = holdersOf(own, workers, id)
  const withoutImage = hostsWithoutImage(status)
  const [volumes, python] = await Promise.all([volumesOf(deps, endpoint), pythonFor(deps, endpoint)])
  const verdicts = explainPlacement({
    spec: { ...spec, volumes, python, runtime: runtimeOf(deps.config, id) },
    hosts,
    holdings: holdingsOf(workers, hosts),
    holders,
    withoutImage,
    now: Date.now(),
  })
  return {
    endpoint: { id, name: endpoint.name },
    ...(job === undefined ? {} : { job: { id: job.id, status: job.status } }),
    ...why,
    message: why.message + (await progressOf(deps, why.reason, mine)),
    ...releaseOf(endpoint),
    wanted: wantedOf(endpoint),
    priority: settings.priority ?? 1,
    waiting: demand.waiting,
    workers: { now: mine.length, min: settings.workersMin, max: settings.workersMax, throttled: counters.throttled },
    hosts: [...verdicts],
    changes: changesFor(isForPlace ? remediesOf(verdicts) : [], remedy),
  }
}

function shortfallOf(status: ScalerStatus | undefined) {
  const reason = Reason.safeParse(status?.reason).data
  return reason === undefined ? undefined : { reason, message: status?.message ?? reason }
}

/** What the start of a worker waits for, such as a pull of its image or a fetch of its model: the last line of its system log. */
async function progressOf({ store }: ExplainDeps, reason: string, workers: readonly WorkerRecord[]): Promise<string> {
  if (reason !== 'worker_starting') return ''
  const waiting = workers.filter(({ containerStartedAt }) => containerStartedAt === undefined)
  const latest = (await Promise.all(waiting.map(({ id }) => store.workerLogs.read(id, 'system', 1)))).flat()
  const [last] = latest.toSorted((a, b) => b.at - a.at)
  return last === undefined ? '' : ` (${cutText(last.line, 200)})`
}

/** The general one only where no host says more. */
function changesFor(ofHosts: readonly string[], general: string | undefined): string[] {
  return ofHosts.length > 0 || general === undefined ? [...ofHosts] : [general]
}

async function volumesOf({ model, store }: ExplainDeps, endpoint: Endpoint): Promise<VolumeNeeds> {
  if (endpoint.spec.networkVolumeIds.length === 0) return []
  const [own, stores] = await Promise.all([model.volumes.list(endpoint.ownerId), store.volumes.stores()])
  return volumeNeeds(endpoint, new Map(own.map((volume) => [volume.id, volume])), stores)
}

function hostsWithoutImage(status: ScalerStatus | undefined): ReadonlySet<string> {
  return new Set(status?.pulls?.map(({ host }) => host))
}

/** An endpoint stands for its next job. */
async function placeOf({ jobs }: ExplainDeps['store'], endpointId: string, job: JobRecord | undefined): Promise<JobInQueue> {
  const ahead = job === undefined ? 0 : await jobs.ahead(endpointId, job.id)
  return { lowPriority: job?.lowPriority === true, ahead }
}

type NotWaiting = Pick<ExplainView, 'reason' | 'message'> & { readonly remedy?: undefined; readonly isForPlace: false }

/** Only a job that waits has something to explain. */
function whyOf(job: JobRecord | undefined): NotWaiting | undefined {
  if (job === undefined || job.status === 'IN_QUEUE') return undefined
  return { reason: 'not_waiting', message: `the job does not wait: it is ${job.status}`, isForPlace: false }
}

async function allWorkers({ store }: ExplainDeps): Promise<readonly WorkerRecord[]> {
  const endpoints = await store.endpoints.list()
  return (await Promise.all(endpoints.map(({ id }) => store.workers.list(id)))).flat()
}

function holdersOf(own: readonly Endpoint[], workers: readonly WorkerRecord[], askingId: string): ReadonlyMap<string, Holder> {
  const byEndpoint = Map.groupBy(workers, ({ endpointId }) => endpointId)
  return new Map(
    own.flatMap(({ id, name, settings }) => {
      const held = byEndpoint.get(id) ?? []
      const facts = { endpointName: name, isOwn: id === askingId, isWithinMin: held.length <= settings.workersMin }
      return held.map((worker): [string, Holder] => [worker.id, { workerId: worker.id, ...facts }])
    }),
  )
}

/** Workers by their records, and the GPUs of other installations. */
function holdingsOf(workers: readonly WorkerRecord[], hosts: readonly HostRecord[]): readonly Holding[] {
  const own = workers.map(({ id, hostId, gpus, cpus = 0, memoryBytes = 0 }) => ({
    workerId: id,
    hostId,
    gpuUuids: gpus.map(({ uuid }) => uuid),
    ...budgetOn(gpus),
    cpus,
    memoryBytes,
  }))
  const foreign = hosts.map(({ hostId, sight }) => {
    const gpuUuids = Object.entries(sight?.claims ?? {}).flatMap(([uuid, holder]) => (holder === null ? [uuid] : []))
    return { workerId: null, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }
  })
  return [...own, ...foreign]
}

function releaseOf(endpoint: Endpoint): Pick<ExplainView, 'release'> {
  const release = rollBackOf(endpoint)
  return release === undefined ? {} : { release }
}

function wantedOf({ spec }: Endpoint): string {
  const { gpu, cpu } = spec
  const budget = gpuBudgetOf(spec)
  if (gpu !== null) return `${describeGpuRequest(gpu)}${budget === undefined ? '' : `, ${inGib(budget)} of it`}`
  return cpu === null ? 'no GPU' : `a CPU worker (${cpu.instanceIds.join(' or ')})`
}
