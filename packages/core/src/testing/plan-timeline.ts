// Test fixture: a simulation with its own clock, in which endpoints get jobs and workers start, take jobs, end them and leave as planned.
// There is one host, and only GPUs are scarce. Each endpoint defines how long starts and jobs take.
import type { Endpoint, WorkerRecord } from '@runyard/schema'
import type { Action, EndpointView, LeaseView, Observed } from '../observed.ts'
import { plan } from '../plan.ts'
import { container, gpu, host, NOW, observed, record, view } from './plan-fixture.ts'

export interface Actor {
  readonly endpoint: Endpoint
  readonly startMs: number
  readonly jobMs: number
  /** When its jobs are submitted, ms after the start. */
  readonly jobsAt: readonly number[]
}

export interface JobLife {
  readonly endpointId: string
  readonly submittedAt: number
  startedAt?: number
}

export interface Timeline {
  readonly jobs: readonly JobLife[]
  readonly actions: readonly (Action & { readonly at: number })[]
  /** At each step, the number of workers per endpoint that take jobs. */
  readonly ready: readonly ReadonlyMap<string, number>[]
  /** At each step, every worker that is not gone. */
  readonly workers: readonly (readonly WorkerRecord[])[]
  /** Number of workers that were stopped while they held a job. */
  readonly brokenOff: number
}

export interface TimelineOptions {
  readonly cards: number
  readonly forMs: number
  readonly keyLimits?: Observed['keyLimits']
}

interface SimWorker {
  record: WorkerRecord
  readonly readyAt: number
  lease: LeaseView | undefined
  freeAt: number
  goneAt: number
}

interface Sim {
  readonly actors: readonly Actor[]
  readonly cards: number
  readonly keyLimits: Observed['keyLimits']
  readonly jobs: JobLife[]
  /** Jobs that no worker has taken, by endpoint. */
  readonly waiting: Map<string, JobLife[]>
  workers: SimWorker[]
  readonly yieldedAt: Map<string, number>
  readonly actions: (Action & { at: number })[]
  brokenOff: number
  now: number
}

const STEP_MS = 250
const STOP_MS = 500

/** Times in the result are ms after the start. */
export function runTimeline(actors: readonly Actor[], { cards, forMs, keyLimits = new Map() }: TimelineOptions): Timeline {
  const sim: Sim = {
    actors,
    cards,
    keyLimits,
    jobs: [],
    waiting: new Map(),
    workers: [],
    yieldedAt: new Map(),
    actions: [],
    brokenOff: 0,
    now: NOW,
  }
  const ready: ReadonlyMap<string, number>[] = []
  const workers: (readonly WorkerRecord[])[] = []
  for (; sim.now <= NOW + forMs; sim.now += STEP_MS) {
    submit(sim)
    live(sim)
    ready.push(new Map(actors.map(({ endpoint: { id } }) => [id, sim.workers.filter((worker) => takesJobs(worker, sim, id)).length])))
    const { actions } = plan(look(sim), sim.now)
    for (const action of actions) carryOut(sim, action)
    workers.push(sim.workers.map(({ record: found }) => found))
    sim.actions.push(...actions.map((action) => ({ ...action, at: sim.now - NOW })))
  }
  const jobs = sim.jobs.map((job) => ({
    ...job,
    submittedAt: job.submittedAt - NOW,
    ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt - NOW }),
  }))
  return { jobs, actions: sim.actions, ready, workers, brokenOff: sim.brokenOff }
}

function submit({ actors, jobs, waiting, now }: Sim): void {
  for (const { endpoint, jobsAt } of actors) {
    const fresh = jobsAt
      .filter((at) => NOW + at > now - STEP_MS && NOW + at <= now)
      .map(() => ({ endpointId: endpoint.id, submittedAt: now }))
    jobs.push(...fresh)
    waiting.set(endpoint.id, [...(waiting.get(endpoint.id) ?? []), ...fresh])
  }
}

function takesJobs({ record: { endpointId, drainingSince }, readyAt }: SimWorker, { now }: Sim, id: string): boolean {
  return endpointId === id && drainingSince === undefined && readyAt <= now
}

function live(sim: Sim): void {
  sim.workers = sim.workers.filter((worker) => worker.goneAt > sim.now)
  for (const worker of sim.workers) {
    if (worker.readyAt <= sim.now) worker.record = { ...worker.record, readyAt: worker.readyAt, lastSeenAt: sim.now }
    if (worker.lease !== undefined && worker.freeAt <= sim.now) {
      worker.lease = undefined
      worker.record = { ...worker.record, lastJobEndedAt: sim.now }
    }
    if (worker.lease === undefined && takesJobs(worker, sim, worker.record.endpointId)) take(sim, worker)
  }
}

function take({ actors, waiting, now }: Sim, worker: SimWorker): void {
  const { endpointId, id } = worker.record
  const job = waiting.get(endpointId)?.shift()
  if (job === undefined) return
  job.startedAt = now
  worker.lease = { jobId: `j-${id}-${now}`, endpointId, workerId: id, lastHolder: id, startedAt: now, executionTimeoutMs: undefined }
  worker.freeAt = now + (actors.find((actor) => actor.endpoint.id === endpointId)?.jobMs ?? 0)
}

function look(sim: Sim): Observed {
  const cards = Array.from({ length: sim.cards }, (_, index) => gpu(`g${index}`))
  const containers = sim.workers.map(({ record: found }) => container(found, { startedAt: found.containerStartedAt }))
  const seen = { ...host('h1', cards, containers), observedAt: sim.now }
  return observed(
    sim.actors.map((actor) => viewOf(actor, sim)),
    [seen],
    { keyLimits: sim.keyLimits },
  )
}

function viewOf({ endpoint }: Actor, { waiting: lines, workers, yieldedAt, now }: Sim): EndpointView {
  const waiting = lines.get(endpoint.id) ?? []
  const own = workers.filter(({ record: { endpointId } }) => endpointId === endpoint.id)
  return view(endpoint, {
    demand: { waiting: waiting.length, waitingNormal: waiting.length, oldestWaitingAt: waiting[0]?.submittedAt },
    leases: own.flatMap(({ lease }) => (lease === undefined ? [] : [lease])),
    workers: own.map((worker) => worker.record),
    sweptAt: now,
    yieldedAt: yieldedAt.get(endpoint.id) ?? 0,
  })
}

function carryOut(sim: Sim, action: Action): void {
  if (action.kind === 'start') return start(sim, action)
  const worker = 'workerId' in action ? sim.workers.find(({ record: { id } }) => id === action.workerId) : undefined
  if (worker === undefined) return
  if (action.kind === 'drain') {
    worker.record = { ...worker.record, drainingSince: sim.now, retireReason: action.reason }
    if (action.reason === 'yielded') sim.yieldedAt.set(action.endpointId, sim.now)
  }
  if (action.kind === 'stop' && worker.goneAt === Infinity) {
    worker.goneAt = sim.now + STOP_MS
    if (worker.lease !== undefined) sim.brokenOff += 1
  }
}

function start(sim: Sim, { endpointId, hostId, gpus, reason }: Extract<Action, { kind: 'start' }>): void {
  const startMs = sim.actors.find((actor) => actor.endpoint.id === endpointId)?.startMs ?? 0
  const { readyAt: _ready, ...fresh } = record(`w${sim.actions.length}-${sim.workers.length}-${sim.now - NOW}`, {
    endpointId,
    hostId,
    gpus: [...gpus],
    startReason: reason,
    createdAt: sim.now,
    containerStartedAt: sim.now,
    lastSeenAt: sim.now,
  })
  sim.workers.push({ record: fresh, readyAt: sim.now + startMs, lease: undefined, freeAt: 0, goneAt: Infinity })
}
