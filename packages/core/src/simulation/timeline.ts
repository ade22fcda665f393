// A simulation with its own clock, in which endpoints get jobs and workers start, take jobs, end them and leave as `plan` decides. There is one host, and
// only GPUs are scarce. Each endpoint defines how long starts and jobs take. Tests of the plan run it, and the preview of other settings.
import type { Endpoint, WorkerRecord } from '@runyard/schema'
import type { Action, EndpointView, LeaseView, Observed } from '../observed.ts'
import { plan } from '../plan.ts'
import { simulatedCards, simulatedContainer, simulatedHost, simulatedPool, simulatedView, simulatedWorker, START } from './world.ts'

export interface Actor {
  readonly endpoint: Endpoint
  readonly startMs: number
  readonly jobMs: number
  /** Of each job, in the order of `jobsAt`; absent: `jobMs` of all. */
  readonly runsMs?: readonly number[]
  /** Jobs that a worker has at a time, at most; default: 1. */
  readonly jobsAtOnce?: number
  /** When its jobs are submitted, ms after the start, ascending. */
  readonly jobsAt: readonly number[]
}

export interface JobLife {
  readonly endpointId: string
  readonly submittedAt: number
  startedAt?: number
}

export interface WorkerSpan {
  readonly endpointId: string
  readonly startedAt: number
  readonly readyAt: number
  /** Infinity: it was there at the end. */
  readonly goneAt: number
  /** How long it had a job, those counted once that it had at the same time. */
  readonly workMs: number
}

export interface Timeline {
  readonly jobs: readonly JobLife[]
  readonly actions: readonly (Action & { readonly at: number })[]
  /** At each step, the number of workers per endpoint that take jobs. */
  readonly ready: readonly ReadonlyMap<string, number>[]
  /** At each step, every worker that is not gone. */
  readonly workers: readonly (readonly WorkerRecord[])[]
  /** All workers that there were. */
  readonly spans: readonly WorkerSpan[]
  /** Number of workers that were stopped while they held a job. */
  readonly brokenOff: number
}

export interface TimelineOptions {
  readonly cards: number
  readonly forMs: number
  readonly keyLimits?: Observed['keyLimits']
  /** Leaves out steps in which nothing can happen, and `ready` and `workers`. The rest is the same. */
  readonly skips?: boolean
}

interface SimJob extends JobLife {
  readonly runMs: number
}

interface SimLease extends LeaseView {
  readonly endsAt: number
}

interface SimWorker {
  record: WorkerRecord
  readonly readyAt: number
  readonly jobsAtOnce: number
  leases: readonly SimLease[]
  goneAt: number
  workMs: number
  /** When the last of the jobs ends that it had so far. */
  busyUntil: number
}

interface Sim {
  readonly actors: readonly Actor[]
  readonly cards: number
  readonly keyLimits: Observed['keyLimits']
  readonly jobs: SimJob[]
  /** How many of its jobs each actor has submitted. */
  readonly submitted: Map<Actor, number>
  /** Jobs that no worker has taken, by endpoint. */
  readonly waiting: Map<string, SimJob[]>
  workers: SimWorker[]
  readonly everyWorker: SimWorker[]
  readonly yieldedAt: Map<string, number>
  readonly actions: (Action & { at: number })[]
  brokenOff: number
  now: number
}

const STEP_MS = 250
const STOP_MS = 500

/** Times in the result are ms after the start. */
export function runTimeline(actors: readonly Actor[], { cards, forMs, keyLimits = new Map(), skips = false }: TimelineOptions): Timeline {
  const sim = createSim(actors, { cards, keyLimits })
  const ready: ReadonlyMap<string, number>[] = []
  const workers: (readonly WorkerRecord[])[] = []
  while (sim.now <= START + forMs) {
    submit(sim)
    live(sim)
    if (!skips) ready.push(readyNow(sim))
    const { actions, nextDueAt } = plan(look(sim), sim.now)
    for (const action of actions) carryOut(sim, action)
    if (!skips) workers.push(sim.workers.map(({ record }) => record))
    sim.actions.push(...actions.map((action) => ({ ...action, at: sim.now - START })))
    // What was just decided may have consequences at once.
    sim.now = skips && actions.length === 0 ? stepAt(nextEvent(sim, nextDueAt), sim.now) : sim.now + STEP_MS
  }
  const spans = sim.everyWorker.map(({ record: { endpointId, createdAt }, readyAt, goneAt, workMs, busyUntil }) => ({
    endpointId,
    workMs: workMs - Math.max(0, busyUntil - START - forMs),
    startedAt: createdAt - START,
    readyAt: readyAt - START,
    goneAt: goneAt - START,
  }))
  return { jobs: sim.jobs.map(fromStart), actions: sim.actions, ready, workers, spans, brokenOff: sim.brokenOff }
}

function createSim(actors: readonly Actor[], limits: Pick<Sim, 'cards' | 'keyLimits'>): Sim {
  return {
    ...limits,
    actors,
    jobs: [],
    submitted: new Map(),
    waiting: new Map(),
    workers: [],
    everyWorker: [],
    yieldedAt: new Map(),
    actions: [],
    brokenOff: 0,
    now: START,
  }
}

function readyNow(sim: Sim): ReadonlyMap<string, number> {
  return new Map(sim.actors.map(({ endpoint: { id } }) => [id, sim.workers.filter((worker) => takesJobs(worker, sim, id)).length]))
}

function fromStart({ endpointId, submittedAt, startedAt }: SimJob): JobLife {
  const started = startedAt === undefined ? {} : { startedAt: startedAt - START }
  return { endpointId, submittedAt: submittedAt - START, ...started }
}

/** The first step at or after a time. */
function stepAt(time: number, now: number): number {
  return Math.max(now + STEP_MS, START + Math.ceil((time - START) / STEP_MS) * STEP_MS)
}

/** When something happens next by itself: a job arrives, a worker is ready, ends a job or is gone, or the plan is due. */
function nextEvent({ actors, submitted, workers, now }: Sim, dueAt: number): number {
  const arrivals = actors.map((actor) => START + (actor.jobsAt[submitted.get(actor) ?? 0] ?? Infinity))
  const ends = workers.flatMap(({ readyAt, leases, goneAt }) => [readyAt, ...leases.map(({ endsAt }) => endsAt), goneAt])
  return Math.min(dueAt, ...arrivals, ...ends.filter((at) => at > now))
}

function submit({ actors, jobs, submitted, waiting, now }: Sim): void {
  for (const actor of actors) {
    const { endpoint, jobsAt, jobMs, runsMs } = actor
    const line = waiting.get(endpoint.id) ?? []
    let next = submitted.get(actor) ?? 0
    for (; START + (jobsAt[next] ?? Infinity) <= now; next += 1) {
      const job = { endpointId: endpoint.id, submittedAt: now, runMs: runsMs?.[next] ?? jobMs }
      jobs.push(job)
      line.push(job)
    }
    submitted.set(actor, next)
    waiting.set(endpoint.id, line)
  }
}

function takesJobs({ record: { endpointId, drainingSince }, readyAt }: SimWorker, { now }: Sim, id: string): boolean {
  return endpointId === id && drainingSince === undefined && readyAt <= now
}

function live(sim: Sim): void {
  sim.workers = sim.workers.filter((worker) => worker.goneAt > sim.now)
  for (const worker of sim.workers) {
    if (worker.readyAt <= sim.now) worker.record = { ...worker.record, readyAt: worker.readyAt, lastSeenAt: sim.now }
    const left = worker.leases.filter(({ endsAt }) => endsAt > sim.now)
    if (left.length < worker.leases.length) worker.record = { ...worker.record, lastJobEndedAt: sim.now }
    worker.leases = left
    if (takesJobs(worker, sim, worker.record.endpointId)) take(sim, worker)
  }
}

function take({ waiting, now }: Sim, worker: SimWorker): void {
  const { endpointId, id } = worker.record
  const taken = waiting.get(endpointId)?.splice(0, worker.jobsAtOnce - worker.leases.length) ?? []
  const leases = taken.map((job, place) => {
    job.startedAt = now
    const lease = {
      jobId: `j-${id}-${now}-${place}`,
      endpointId,
      workerId: id,
      lastHolder: id,
      startedAt: now,
      executionTimeoutMs: undefined,
    }
    const endsAt = now + job.runMs
    worker.workMs += Math.max(0, endsAt - Math.max(now, worker.busyUntil))
    worker.busyUntil = Math.max(endsAt, worker.busyUntil)
    return { ...lease, endsAt }
  })
  worker.leases = [...worker.leases, ...leases]
}

function look(sim: Sim): Observed {
  const containers = sim.workers.map(({ record }) => simulatedContainer(record))
  const views = sim.actors.map((actor) => viewOf(actor, sim))
  return simulatedPool(views, simulatedHost(simulatedCards(sim.cards), containers, sim.now), sim.keyLimits)
}

function viewOf({ endpoint }: Actor, { waiting: lines, workers, yieldedAt, now }: Sim): EndpointView {
  const waiting = lines.get(endpoint.id) ?? []
  const own = workers.filter(({ record: { endpointId } }) => endpointId === endpoint.id)
  return simulatedView(endpoint, {
    demand: { waiting: waiting.length, waitingNormal: waiting.length, oldestWaitingAt: waiting[0]?.submittedAt },
    leases: own.flatMap(({ leases }) => leases),
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
    if (worker.leases.length > 0) sim.brokenOff += 1
  }
}

function start(sim: Sim, { endpointId, gpus, reason }: Extract<Action, { kind: 'start' }>): void {
  const actor = sim.actors.find(({ endpoint }) => endpoint.id === endpointId)
  if (actor === undefined) return
  const id = `w${sim.everyWorker.length}-${sim.now - START}`
  const record = simulatedWorker({ id, endpoint: actor.endpoint, gpus, reason, now: sim.now })
  const times = { readyAt: sim.now + actor.startMs, goneAt: Infinity, workMs: 0, busyUntil: 0 }
  const worker: SimWorker = { record, ...times, jobsAtOnce: actor.jobsAtOnce ?? 1, leases: [] }
  sim.workers.push(worker)
  sim.everyWorker.push(worker)
}
