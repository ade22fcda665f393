// Which new workers an endpoint wants, which of them start and where, and the reason why the others cannot start.
import type { Endpoint, Reason } from '@runyard/schema'
import { currentFailures, retryAt, type StartFailures } from './backoff.ts'
import { isOfRelease, pythonOf, type Deployment } from './deployment.ts'
import { grantInTurns, type Claim } from './fair-turns.ts'
import { budgetOn, cardsIn, gpuBudgetOf } from './gpu-budget.ts'
import { shareOf, type WorkerHolding } from './holdings.ts'
import { createCardKeeping } from './kept-cards.ts'
import type { KeyRoom } from './key-limits.ts'
import type { EndpointStatus, EndpointView, StartAction } from './observed.ts'
import { modelNeeds } from './model-placement.ts'
import { openHosts, withClosedHosts } from './open-hosts.ts'
import { place, type OpenHost, type Placed, type PlacedSpec, type Refused } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { FAILED_STARTS, isRebuilt } from './plan-workers.ts'
import { jobsWait } from './queue-reason.ts'
import { failedRelease, rollBackOf } from './release.ts'
import { isRolling } from './rolling.ts'
import { desiredWorkers } from './scaling.ts'
import { idleSince } from './worker-facts.ts'
import { taskOver } from './tasks.ts'
import { storeOf, volumesOn } from './volume-placement.ts'
import type { WorkerView } from './worker-view.ts'

/** Reported as the failure's own reason instead of `backing_off`: a retry does not help until a user fixes the cause. */
const MENDED_BY_USERS = new Set<Reason>(['image_missing', 'registry_refused', 'secret_missing', 'not_enough_disk', 'no_python'])

const QUIET: EndpointStatus = { throttled: 0, unhealthy: 0, reason: undefined, message: undefined, nextTryAt: undefined }

export interface Growth {
  readonly endpoint: Endpoint
  readonly view: EndpointView
  readonly workers: readonly WorkerView[]
}

/** What an endpoint wants to start now, and the result. */
export interface Want extends Claim {
  readonly endpoint: Endpoint
  readonly view: EndpointView
  readonly workers: readonly WorkerView[]
  readonly reason: Reason
  /** Why the rest of `missing` cannot be placed. */
  refused: Refused | undefined
  /** The endpoint's status if everything that it wants was placed. */
  readonly calm: EndpointStatus
  /** Workers wanted in addition to `missing`, but held back after failed starts. */
  readonly heldBack: number
}

export function wantOf(growth: Growth, builder: PlanBuilder): Want {
  const { endpoint, view, workers } = growth
  const supply = workers.flatMap((worker) => asSupply(worker, growth, builder))
  const share = supply.reduce((sum, { record }) => sum + shareOf(cardsIn(record.gpus), endpoint), 0)
  const rollBack = rollBackOf(endpoint)
  const none: Want = {
    ...growth,
    share,
    since: waitingSince(view),
    missing: 0,
    reason: 'below_min',
    refused: undefined,
    calm: rollBack === undefined ? QUIET : { ...QUIET, reason: 'rolled_back', message: rollBack },
    heldBack: 0,
  }
  if (builder.observed.shutdown || taskOver(endpoint, workers, builder.now) !== undefined) return none
  const supplied = supply.map((worker) => ({ phase: worker.phase, idleSince: idleSince(worker.record) }))
  const desired = desiredWorkers(endpoint, { demand: view.demand, workers: supplied }, builder.now)
  builder.wakeAt(desired.dueAt)
  if (endpoint.settings.workersMax === 0) return { ...none, calm: pausedStatus(view) }
  // Every worker that is not known to be gone counts against the maximum.
  const living = workers.filter(({ fate, record }) => fate.kind !== 'dead' && builder.observed.undying?.has(record.id) !== true).length
  const wanted = isRolling({ endpoint, supply }, workers, builder) ? Math.max(1, desired.count) : desired.count
  const missing = Math.max(0, Math.min(wanted - supply.length, endpoint.settings.workersMax - living))
  // It asks for no place, so no worker of another endpoint makes room for it.
  if (view.deployment?.kind === 'none') return { ...none, calm: undeployedStatus(view.deployment, missing) }
  const want = { ...none, missing, reason: desired.reason }
  const failures = currentFailures(view.failures, endpoint, view.workers)
  return failures === undefined ? want : afterFailures(want, { failures, supply }, builder)
}

/** An endpoint whose worker yielded goes to the end of the line, however old its queue is. */
function waitingSince({ demand, yieldedAt }: EndpointView): number {
  return demand.waitingNormal > 0 ? Math.max(demand.oldestWaitingAt ?? Infinity, yieldedAt) : Infinity
}

/** A failing start still counts as supply: until the failure is recorded, a replacement would be one start too many. */
function asSupply(worker: WorkerView, growth: Growth, builder: PlanBuilder): readonly WorkerView[] {
  if (worker.record.specHash === growth.endpoint.specHash && isFailingStart(worker, builder)) return [{ ...worker, phase: 'starting' }]
  return isSupply(worker, growth, builder) ? [worker] : []
}

function isFailingStart({ record }: WorkerView, builder: PlanBuilder): boolean {
  for (const action of builder.actions) {
    if (action.kind === 'remove' && action.workerId === record.id) return action.isStartFailure
    if (action.kind === 'drain' && action.workerId === record.id) return record.readyAt === undefined && FAILED_STARTS.has(action.reason)
  }
  return record.readyAt === undefined && record.retireReason !== undefined && FAILED_STARTS.has(record.retireReason)
}

function isSupply(worker: WorkerView, { endpoint, view }: Growth, builder: PlanBuilder): boolean {
  if (worker.fate.kind === 'dead' || worker.phase === 'draining') return false
  if (!isOfRelease(worker.record, endpoint, view.deployment) || isRebuilt(worker.record, view, builder)) return false
  // Retired by this plan, so its replacement is due now.
  return !builder.actions.some((action) => action.kind === 'drain' && action.workerId === worker.record.id)
}

function pausedStatus(view: EndpointView): EndpointStatus {
  if (view.demand.waiting === 0) return QUIET
  return { ...QUIET, reason: 'paused', message: `the endpoint's maximum is 0 workers, so ${jobsWait(view.demand.waiting)}` }
}

function undeployedStatus({ message }: Extract<Deployment, { kind: 'none' }>, missing: number): EndpointStatus {
  return missing === 0 ? QUIET : { ...QUIET, throttled: missing, reason: 'not_deployed', message }
}

/** After a failed start only one worker starts at a time, each after its pause, until one becomes ready. */
function afterFailures(
  want: Want,
  { failures, supply }: { readonly failures: StartFailures; readonly supply: readonly WorkerView[] },
  builder: PlanBuilder,
): Want {
  const { missing } = want
  const isStarting = supply.some((worker) => worker.phase === 'starting')
  const triesNow = missing > 0 && !isStarting && builder.isDue(retryAt(failures))
  const reason = MENDED_BY_USERS.has(failures.reason) ? failures.reason : 'backing_off'
  const nextTryAt = !isStarting && retryAt(failures) > builder.now ? retryAt(failures) : undefined
  // The evidence may have many lines, so it comes last.
  const release = describeRelease(want, failures)
  const message = `${release}${describeNextTry({ nextTryAt, isStarting: isStarting || triesNow })}; the last one failed: ${failures.message}`
  const calm = { throttled: 0, unhealthy: Math.max(1, missing), reason, message, nextTryAt }
  return { ...want, missing: triesNow ? 1 : 0, heldBack: Math.max(0, missing - 1), calm }
}

/** A release of which no worker has ever started is named. */
function describeRelease({ endpoint, view }: Want, failures: StartFailures): string {
  if (failedRelease(endpoint, view.workers, failures) === undefined) return ''
  return `no worker of the release of ${new Date(endpoint.updatedAt).toISOString()} has started in ${failures.count} tries; `
}

function describeNextTry({ nextTryAt, isStarting }: { readonly nextTryAt: number | undefined; readonly isStarting: boolean }): string {
  if (isStarting) return 'the next try is under way'
  if (nextTryAt === undefined) return 'the next job starts the next try'
  return `the next try is due at ${new Date(nextTryAt).toISOString()}`
}

/** What is taken. It grows with each start, so that no GPU is assigned twice and no key gets a worker too many. */
export interface Taken {
  readonly holdings: WorkerHolding[]
  /** Cards that no further worker with a budget joins (ADR 61). */
  readonly kept: WorkerHolding[]
  readonly keys: KeyRoom
  /** Of volumes that had no store before this plan. */
  readonly stores: Map<string, string>
}

/** What stands in the way of a worker of this endpoint. */
export function takenFor({ spec }: Endpoint, holdings: readonly WorkerHolding[], kept: readonly WorkerHolding[]): readonly WorkerHolding[] {
  return kept.length === 0 || gpuBudgetOf(spec) === undefined ? holdings : [...holdings, ...kept]
}

/** Places the wanted workers one after another. */
export function startWanted(wants: readonly Want[], taken: Taken, builder: PlanBuilder): void {
  const { holdings, kept, keys, stores } = taken
  const hosts = openHosts(builder)
  const keeping = createCardKeeping(hosts, wants)
  // Holdings only grow here, so an equal request is refused after the first refusal.
  const refusals = new Map<string, Refused>()
  grantInTurns(wants, (want) => {
    const asked = askedOf(want)
    const overLimit = keys.refusalFor(want.endpoint)
    if (overLimit !== undefined) {
      want.refused = overLimit
      return undefined
    }
    const placement = refusals.get(asked) ?? place(placedSpecOf(want, taken), hosts, takenFor(want.endpoint, holdings, kept))
    if (placement.kind === 'refused') {
      refusals.set(asked, placement)
      want.refused = withClosedHosts(placement, builder)
      kept.push(...keeping.keepFor(want, [...holdings, ...kept]))
      return undefined
    }
    const { hostId, gpus, cpus, memoryBytes } = placement
    holdings.push(toHolding(placement))
    keys.add(want.endpoint, 1)
    const volumes = chooseVolumes(
      want,
      hosts.find((host) => host.hostId === hostId),
      stores,
    )
    builder.add({ kind: 'start', endpointId: want.endpoint.id, hostId, gpus, cpus, memoryBytes, reason: want.reason, ...volumes })
    return shareOf(cardsIn(gpus), want.endpoint)
  })
}

/** An endpoint, as far as it decides where its workers may go. */
export interface Asker {
  readonly endpoint: Endpoint
  readonly view: Pick<EndpointView, 'volumes' | 'deployment' | 'runtime'>
}

/** With what decides on the volumes, on the Python, on the container runtime and on the models. */
export function placedSpecOf(
  { endpoint, view: { volumes, deployment, runtime } }: Asker,
  { stores }: { readonly stores: ReadonlyMap<string, string> },
): PlacedSpec {
  return { ...endpoint.spec, volumes, chosenStores: stores, python: pythonOf(deployment), runtime, modelNeeds: modelNeeds(endpoint) }
}

/** From here on, their data is in the store of that host. */
function chooseVolumes(
  { view: { volumes = [] } }: Want,
  host: OpenHost | undefined,
  stores: Map<string, string>,
): Pick<StartAction, 'volumes'> {
  const found = host && volumesOn(host, volumes, stores)
  if (host === undefined || found === undefined || found.length === 0) return {}
  const storeId = storeOf(host)
  for (const { id } of found) stores.set(id, storeId)
  return { volumes: found.map(({ id }) => ({ id, storeId })) }
}

/** Everything that `place` depends on. */
export function askedOf({ endpoint: { spec }, view: { volumes = [], deployment, runtime } }: Asker): string {
  return JSON.stringify([spec.gpu, spec.cpu, spec.image, gpuBudgetOf(spec), volumes, pythonOf(deployment), runtime])
}

export function toHolding({ hostId, gpus, cpus, memoryBytes }: Placed): WorkerHolding {
  const gpuUuids = gpus.map((gpu) => gpu.uuid)
  return { workerId: undefined, hostId, gpuUuids, ...budgetOn(gpus), cpus: cpus ?? 0, memoryBytes: memoryBytes ?? 0 }
}

/** `coming`: for how many of the missing workers other workers yield. */
export function statusOf({ refused, missing, heldBack, calm }: Want, coming: number): EndpointStatus {
  if (refused === undefined) return calm
  const room = coming === 0 ? '' : `; ${coming === 1 ? 'room for 1 worker is' : `room for ${coming} workers is`} being made`
  return { throttled: missing, unhealthy: heldBack, reason: refused.reason, message: refused.message + room, nextTryAt: undefined }
}
