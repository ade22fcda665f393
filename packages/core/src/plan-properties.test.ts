// Properties that hold for every plan, checked on random worlds.
import { CARD_FAULTS, type CardFault, type Endpoint, type Gpu, type ObservedWorker, type WorkerRecord } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TREATMENTS } from './card-health.ts'
import { matchesGpu } from './gpu-request.ts'
import { workerKey, type Action, type EndpointView, type InFlightKind, type Observed } from './observed.ts'
import { plan } from './plan.ts'
import { applyActions, container, endpoint, exited, gpu, host, lease, NOW, observed, record, view } from './testing/plan-fixture.ts'

const MODELS = ['NVIDIA GeForce RTX 4090', 'NVIDIA L4']
const PAST = fc.integer({ min: 1, max: 100_000 }).map((ago) => NOW - ago)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

interface WorkerSeed {
  readonly endpoint: number
  readonly host: number
  readonly card: number
  readonly times: {
    readonly createdAt: number
    readonly readyAt: number | undefined
    readonly drainingSince: number | undefined
    readonly lastJobEndedAt: number | undefined
    readonly lastSeenAt: number | undefined
  }
  readonly isOld: boolean
  readonly container: 'running' | 'exited' | 'created' | 'starting' | 'absent'
  readonly leases: number
  readonly inFlight: InFlightKind | undefined
}

const workerSeed: fc.Arbitrary<WorkerSeed> = fc.record({
  endpoint: fc.nat(1),
  /** The last host id belongs to none of our hosts. */
  host: fc.nat(2),
  card: fc.nat(2),
  times: fc.record({
    createdAt: PAST,
    readyAt: maybe(PAST),
    drainingSince: maybe(PAST),
    lastJobEndedAt: maybe(PAST),
    lastSeenAt: maybe(PAST),
  }),
  isOld: fc.boolean(),
  container: fc.constantFrom('running', 'running', 'running', 'exited', 'created', 'starting', 'absent'),
  leases: fc.nat(2),
  inFlight: fc.constantFrom(undefined, undefined, undefined, 'start', 'other'),
})

const endpointSeed = fc.record({
  isDeleted: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  workersMin: fc.nat(2),
  extra: fc.nat(3),
  idleTimeoutMs: fc.constantFrom(0, 1000, 60_000),
  pools: fc.constantFrom<string[][]>(['ADA_24'], ['AMPERE_24'], ['AMPERE_24', 'ADA_24']),
  isByCount: fc.boolean(),
  waiting: fc.nat(5),
  waitedMs: fc.nat(10_000),
  expired: fc.nat(1),
})

const worldSeed = fc.record({
  endpoints: fc.array(endpointSeed, { minLength: 2, maxLength: 2 }),
  workers: fc.array(workerSeed, { maxLength: 6 }),
  cards: fc.array(fc.array(fc.constantFrom(...MODELS), { maxLength: 3 }), { minLength: 2, maxLength: 2 }),
  /** Mostly none. */
  faults: fc.array(fc.array(fc.constantFrom(undefined, undefined, undefined, ...CARD_FAULTS), { minLength: 3, maxLength: 3 }), {
    minLength: 2,
    maxLength: 2,
  }),
  unreachable: fc.tuple(fc.boolean(), fc.boolean()).map(([a, b]) => [a && b, false]),
  shutdown: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  isPlaneUp: fc.boolean(),
})

type WorldSeed = typeof worldSeed extends fc.Arbitrary<infer T> ? T : never

/** A state that a correct system can be in: no GPU is held twice. */
function toWorld(seed: WorldSeed): Observed {
  const cards = seed.cards.map((names, h) => names.map((name, index) => realCard(gpu(`h${h}-g${index}`, name), seed.faults[h]?.[index])))
  const taken = new Set<string>()
  const workers = seed.workers.map((worker, index) => {
    const card = cards[worker.host]?.[worker.card]
    const isFree = card !== undefined && !taken.has(card.uuid)
    if (isFree) taken.add(card.uuid)
    return { seed: worker, record: toRecord(worker, `w${index}`, isFree ? [card] : []) }
  })
  const containers = (h: number) =>
    workers
      .filter(({ seed: { host: on } }) => on === h)
      .flatMap(({ seed: { container: state }, record: found }) => toContainer(state, found))
  const hosts = cards.map((list, h) => ({
    ...host(`h${h}`, list, containers(h)),
    ...(seed.unreachable[h] === true ? { workers: undefined } : {}),
  }))
  const inFlight = new Map(
    workers.flatMap(({ seed: { inFlight: kind }, record: { id } }) => (kind === undefined ? [] : [[workerKey(id), kind]])),
  )
  const endpoints = seed.endpoints.map((found, e): EndpointView => {
    const own = workers.filter(({ seed: { endpoint: of } }) => of === e)
    const held = own.flatMap(({ seed: { leases }, record: { id } }) => Array.from({ length: leases }, (_, n) => lease(`j-${id}-${n}`, id)))
    const lost = Array.from({ length: found.expired }, (_, n) => lease(`lost-${e}-${n}`, undefined))
    return toView(found, e, {
      workers: own.map((worker) => worker.record),
      leases: [...held, ...lost].map((one) => ({ ...one, endpointId: `ep-${e}` })),
    })
  })
  return observed(endpoints, hosts, { inFlight, shutdown: seed.shutdown, planeUpSince: seed.isPlaneUp ? 0 : undefined })
}

function realCard(card: Gpu, faultKind: CardFault | undefined): Gpu {
  const real = { ...card, simulated: false }
  return faultKind === undefined ? real : { ...real, faultKind, healthy: !isUnfit(faultKind) }
}

const isUnfit = (kind: CardFault): boolean => ['quarantine', 'cordon'].includes(TREATMENTS[kind].card)

function toRecord(seed: WorkerSeed, id: string, gpus: WorkerRecord['gpus']): WorkerRecord {
  const { readyAt: _ready, containerStartedAt: _started, lastSeenAt: _seen, ...base } = record(id)
  const times = Object.fromEntries(Object.entries(seed.times).filter(([, value]) => value !== undefined))
  const cards = gpus.map(({ uuid, name }) => ({ uuid, name, simulated: false }))
  return {
    ...base,
    ...times,
    hostId: `h${seed.host}`,
    endpointId: `ep-${seed.endpoint}`,
    specHash: seed.isOld ? 'old' : 'spec-1',
    gpus: cards,
  }
}

function toContainer(state: WorkerSeed['container'], found: WorkerRecord): readonly ObservedWorker[] {
  if (state === 'absent') return []
  return [state === 'exited' ? exited(found) : container(found, { state })]
}

function toView(seed: WorldSeed['endpoints'][number], index: number, change: Pick<EndpointView, 'workers' | 'leases'>): EndpointView {
  const scaling = seed.isByCount ? ({ type: 'REQUEST_COUNT', requestCount: 2 } as const) : ({ type: 'QUEUE_DELAY', queueDelay: 4 } as const)
  const found: Endpoint = endpoint(`ep-${index}`, {
    spec: { gpu: { pools: seed.pools, excludedTypes: [], count: 1, allowedCudaVersions: [] } },
    settings: { workersMin: seed.workersMin, workersMax: seed.workersMin + seed.extra, idleTimeoutMs: seed.idleTimeoutMs, scaling },
  })
  const demand = {
    waiting: seed.waiting,
    waitingNormal: seed.waiting,
    oldestWaitingAt: seed.waiting === 0 ? undefined : NOW - seed.waitedMs,
  }
  return { ...view(found, { ...change, demand }), endpoint: seed.isDeleted ? undefined : found }
}

/** Violations of the rule in the smallest world found; empty if 1000 worlds satisfy it. */
function offencesAgainst(rule: (world: Observed, actions: readonly Action[]) => readonly unknown[]): readonly unknown[] {
  const offencesIn = (seed: WorldSeed) => {
    const world = toWorld(seed)
    return rule(world, plan(world, NOW).actions)
  }
  const { counterexample, seed } = fc.check(
    fc.property(worldSeed, (found) => offencesIn(found).length === 0),
    { numRuns: 1000 },
  )
  return counterexample === null ? [] : [...offencesIn(counterexample[0]), { seed, world: counterexample[0] }]
}

const startsOf = (actions: readonly Action[]) => actions.filter((action) => action.kind === 'start')
const containersOf = (world: Observed) => world.hosts.flatMap((found) => found.workers ?? [])
const recordsOf = (world: Observed) => world.endpoints.flatMap((found) => found.workers)
const isSeenDead = (world: Observed, id: string) => containersOf(world).some((found) => found.workerId === id && found.state === 'exited')
const workerOf = (action: Action) => ('workerId' in action ? (action.workerId ?? '') : '')
const hasJob = (world: Observed, workerId: string) =>
  world.endpoints.some((found) => found.leases.some((one) => one.workerId !== undefined && one.workerId === workerId))

test('no GPU is assigned to two workers, or taken from a worker that is not known to be gone', () => {
  const offences = offencesAgainst((world, actions) => {
    const given = startsOf(actions).flatMap((action) => action.gpus.map(({ uuid }) => uuid))
    const living = recordsOf(world).filter(({ id }) => !isSeenDead(world, id))
    const all = [...given, ...living.flatMap((found) => found.gpus.map(({ uuid }) => uuid))]
    return all.filter((uuid, index) => all.indexOf(uuid) !== index)
  })
  expect(offences).toEqual([])
})

test('no worker starts on a GPU that its fault keeps from new work, and none is ended at once for a fault with which its work goes on', () => {
  const offences = offencesAgainst((world, actions) => {
    const faultOf = new Map(
      world.hosts.flatMap(({ inventory }) => (inventory?.gpus ?? []).map(({ uuid, faultKind }) => [uuid, faultKind] as const)),
    )
    const started = startsOf(actions).flatMap(({ gpus }) => gpus.map(({ uuid }) => faultOf.get(uuid)))
    const wrongStarts = started.filter((fault) => fault !== undefined && isUnfit(fault))
    const failed = actions.filter((action) => action.kind === 'drain' && action.reason === 'card_failed').map(workerOf)
    const gpusOf = (id: string) => recordsOf(world).find((found) => found.id === id)?.gpus ?? []
    const isGrave = (fault: CardFault | undefined) => fault !== undefined && TREATMENTS[fault].worker === 'stop'
    return [...wrongStarts, ...failed.filter((id) => !gpusOf(id).some(({ uuid }) => isGrave(faultOf.get(uuid))))]
  })
  expect(offences).toEqual([])
})

test('a worker gets only GPUs of its endpoint’s types that its host has', () => {
  const offences = offencesAgainst((world, actions) =>
    startsOf(actions).flatMap((action) => {
      const pools = world.endpoints.find(({ endpointId }) => endpointId === action.endpointId)?.endpoint?.spec.gpu?.pools ?? []
      const own = world.hosts.find(({ hostId }) => hostId === action.hostId)?.inventory?.gpus.map(({ uuid }) => uuid) ?? []
      return action.gpus.filter((card) => !matchesGpu({ pools, excludedTypes: [] }, card) || !own.includes(card.uuid))
    }),
  )
  expect(offences).toEqual([])
})

test('a worker with a job is never retired as idle', () => {
  const offences = offencesAgainst((world, actions) =>
    actions.filter((action) => action.kind === 'drain' && action.reason === 'idle_timeout' && hasJob(world, action.workerId)),
  )
  expect(offences).toEqual([])
})

test('a worker with a job is stopped only for a reason that does not wait for jobs', () => {
  const notWaitedFor = new Set(['card_failed', 'endpoint_deleted', 'heartbeat_lost', 'init_timeout', 'unhealthy_check'])
  const offences = offencesAgainst((world, actions) =>
    actions.filter(
      (action) =>
        action.kind === 'stop' && hasJob(world, action.workerId) && !notWaitedFor.has(action.reason) && world.planeUpSince !== undefined,
    ),
  )
  expect(offences).toEqual([])
})

test('no start exceeds an endpoint’s maximum, counting all workers that are not known to be gone', () => {
  const offences = offencesAgainst((world, actions) =>
    world.endpoints.filter(({ endpointId, endpoint: found, workers }) => {
      const starts = startsOf(actions).filter((action) => action.endpointId === endpointId).length
      const removed = actions.filter((action) => action.kind === 'remove' && action.endpointId === endpointId).length
      return starts > 0 && starts + workers.length - removed > (found?.settings.workersMax ?? 0)
    }),
  )
  expect(offences).toEqual([])
})

test('idle timeouts never reduce the workers below the minimum', () => {
  const offences = offencesAgainst((world, actions) => {
    const drained = new Map(actions.flatMap((action) => (action.kind === 'drain' ? [[action.workerId, action.reason]] : [])))
    return world.endpoints.filter(({ endpoint: found, workers }) => {
      const left = workers.filter(({ id, drainingSince }) => drainingSince === undefined && !drained.has(id))
      return workers.some(({ id }) => drained.get(id) === 'idle_timeout') && left.length < (found?.settings.workersMin ?? 0)
    })
  })
  expect(offences).toEqual([])
})

test('a worker yields only to another endpoint that cannot start one, and never below the minimum', () => {
  const offences = offencesAgainst((world, actions) => {
    const { statuses } = plan(world, NOW)
    const yielded = actions.filter((action) => action.kind === 'drain' && action.reason === 'yielded')
    const drained = new Set(actions.flatMap((action) => (action.kind === 'drain' ? [action.workerId] : [])))
    return yielded.filter(({ endpointId }) => {
      const found = world.endpoints.find((candidate) => candidate.endpointId === endpointId)
      const left = found?.workers.filter(({ id, drainingSince }) => drainingSince === undefined && !drained.has(id)) ?? []
      const isWanted = [...statuses].some(([id, status]) => id !== endpointId && status.throttled > 0)
      return !isWanted || left.length < (found?.endpoint?.settings.workersMin ?? 0)
    })
  })
  expect(offences).toEqual([])
})

test('a host that does not respond loses no worker and gets none', () => {
  const offences = offencesAgainst((world, actions) => {
    const unknown = new Set(world.hosts.filter(({ workers }) => workers === undefined).map(({ hostId }) => hostId))
    return actions.filter((action) => 'hostId' in action && unknown.has(action.hostId ?? ''))
  })
  expect(offences).toEqual([])
})

test('a worker on a host that is not ours is left alone unless it was silent while it could have been heard', () => {
  const offences = offencesAgainst((world, actions) => {
    const elsewhere = recordsOf(world).filter(({ hostId }) => hostId === 'h2')
    const mayLive = elsewhere.filter(({ createdAt, readyAt = 0, lastSeenAt = 0 }) => {
      const heardAt = Math.max(createdAt, readyAt, lastSeenAt)
      return world.planeUpSince === undefined || NOW - heardAt < world.policy.heartbeatLostMs
    })
    const left = new Set(mayLive.map(({ id }) => id))
    return actions.filter((action) => action.kind !== 'time-out' && left.has(workerOf(action)))
  })
  expect(offences).toEqual([])
})

test('a plan adds no action for a key that is in flight', () => {
  const offences = offencesAgainst((world, actions) =>
    actions.filter((action) => action.kind !== 'time-out' && world.inFlight.get(workerKey(workerOf(action))) === 'other'),
  )
  expect(offences).toEqual([])
})

test('the next due time is in the future', () => {
  const offences = offencesAgainst((world) => [plan(world, NOW).nextDueAt].filter((due) => due <= NOW))
  expect(offences).toEqual([])
})

test('planning again after applying a plan repeats nothing, never exceeds the maximum, and converges', () => {
  const offences = offencesAgainst((first) => {
    const done = new Set<string>()
    let world = first
    let count = 0
    for (let round = 0; round < 6; round++) {
      const { actions } = plan(world, NOW)
      if (actions.length === 0) return []
      const chores = actions.filter((action) => action.kind !== 'start').map((action) => JSON.stringify(action))
      const repeated = chores.filter((chore) => done.has(chore))
      for (const chore of chores) done.add(chore)
      world = applyActions(world, actions, () => `new${count++}`)
      const tooMany = world.endpoints.filter(
        ({ endpoint: found, workers }) => workers.filter(({ id }) => id.startsWith('new')).length > (found?.settings.workersMax ?? 0),
      )
      if (repeated.length + tooMany.length > 0) return [...repeated, ...tooMany]
    }
    return plan(world, NOW).actions
  })
  expect(offences).toEqual([])
})
