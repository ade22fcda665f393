import { expect, test } from 'vitest'
import type { HostView, Observed } from './observed.ts'
import { plan } from './plan.ts'
import { demandFrom } from './scaling.ts'
import { container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'

const WAITS = [view(endpoint('ep-one'), waiting(1))]
const started = (world: Observed) => plan(world, NOW).actions.flatMap((action) => (action.kind === 'start' ? [action.hostId] : []))
const statusOf = (world: Observed) => plan(world, NOW).statuses.get('ep-one')
const closed = (id: string, unready: string): HostView => ({ ...host(id, [gpu(`${id}-0`)]), unready })

test('a host that is not prepared gets no worker; the next host does', () => {
  expect(started(observed(WAITS, [closed('h1', 'is being prepared'), host('h2', [gpu('b')])]))).toEqual(['h2'])
})

test('if there is no other host, the status says what the host is doing', () => {
  const world = observed(WAITS, [closed('h1', 'is being prepared (pulling python)')])
  expect(statusOf(world)).toMatchObject({ throttled: 1, reason: 'hosts_closed', message: 'host h1 is being prepared (pulling python)' })
})

test('if the other hosts refuse, the status says that, too', () => {
  const world = observed(WAITS, [host('h1', []), closed('h2', 'cannot be prepared: No engine answers.')])
  expect(statusOf(world)).toMatchObject({
    reason: 'no_matching_gpu',
    message: expect.stringMatching(/^no host has a GPU .*; host h2 cannot be prepared: No engine answers\.$/) as string,
  })
})

const CORDON = { since: NOW - 1, reason: 'a fan fails' }
const rest = (what: 'host' | 'gpus', ms: number) => ({ what, count: 1, lastAt: NOW - ms, message: 'it broke.' })
const real = (uuid: string) => ({ ...gpu(uuid), simulated: false })

test('a cordoned host gets no worker, keeps its workers, and is named with the reason', () => {
  const worker = record('w1')
  const busy = view(endpoint('ep-one'), { ...waiting(1, 60_000), workers: [worker], leases: [lease('j1', 'w1')] })
  const world = observed([busy], [{ ...host('h1', [gpu('a'), gpu('b')], [container(worker)]), cordon: CORDON }])
  expect(plan(world, NOW).actions).toEqual([])
  expect(statusOf(world)).toMatchObject({ reason: 'hosts_closed', message: 'host h1 is cordoned (a fan fails)' })
})

test('a host that failed a start through its own fault rests while others get workers, and is then tried again', () => {
  const resting = (ms: number) => [{ ...host('h1', [gpu('a')]), rest: rest('host', ms) }]
  expect(started(observed(WAITS, [...resting(1000), host('h2', [gpu('b')])]))).toEqual(['h2'])
  expect(statusOf(observed(WAITS, resting(1000)))?.message).toMatch(
    /^host h1 rests until .*, because it failed to start a worker: it broke\.$/,
  )
  expect(plan(observed(WAITS, resting(7000)), NOW).nextDueAt).toBe(NOW + 3000)
  expect(started(observed(WAITS, resting(10_000)))).toEqual(['h1'])
})

test('workers without a GPU start while the GPUs rest', () => {
  const resting = { ...host('h1', [real('a')]), rest: rest('gpus', 1000) }
  expect(statusOf(observed(WAITS, [resting]))).toMatchObject({
    reason: 'no_matching_gpu',
    message: expect.stringContaining('it broke.') as string,
  })
  const onCpu = view(endpoint('ep-one', { spec: { gpu: null, cpu: { instanceIds: ['cpu3c-2-4'] } } }), waiting(1))
  expect(started(observed([onCpu], [resting]))).toEqual(['h1'])
  const simulated = { ...resting, inventory: host('h1', [gpu('a')]).inventory }
  expect(started(observed(WAITS, [simulated]))).toEqual(['h1'])
})

const HOUR = 3_600_000
const { containerStartedAt: _notStarted, readyAt: _notReady, lastSeenAt: _notSeen, ...slow } = record('w1', { createdAt: NOW - HOUR })
const pulling = (change = {}): Observed => {
  const starting = { ...slow, ...change }
  const seen = container(starting, { state: 'starting', startedAt: undefined, progress: 'pulling layer 3 of 9' })
  return observed([view(endpoint('ep-one'), { ...waiting(1, HOUR), workers: [starting] })], [host('h1', [gpu('a'), gpu('b')], [seen])])
}

test('a worker whose host needs an hour to start it counts as supply, and is not lost, started again or retired', () => {
  expect(plan(pulling(), NOW).actions).toEqual([])
  expect(plan(pulling({ containerStartedAt: NOW - HOUR }), NOW).actions).toEqual([])
})

test('a worker that is retired while its host is starting it gets stopped', () => {
  const { actions } = plan(pulling({ drainingSince: NOW - 1000, retireReason: 'above_max' }), NOW)
  expect(actions).toContainEqual(expect.objectContaining({ kind: 'stop', workerId: 'w1' }))
})

test('a worker that need not report is lost only by its host’s report, not by its silence', () => {
  const silent = record('w1', { lastSeenAt: NOW - HOUR, readyAt: NOW - HOUR })
  const world = (lifeSigns: 'host' | 'reports', workers = [container(silent)]) =>
    observed([view(endpoint('ep-one'), { lifeSigns, workers: [silent] })], [host('h1', [], workers)])
  const kinds = (seen: Observed) =>
    plan(seen, NOW).actions.flatMap((action) => ('reason' in action ? [`${action.kind} ${action.reason}`] : []))
  expect(kinds(world('reports'))).toEqual(['drain heartbeat_lost'])
  expect(kinds(world('host')).filter((words) => words.includes('lost'))).toEqual([])
  expect(kinds(world('host', [container(silent, { state: 'exited', exit: { at: NOW, exitCode: 1, oomKilled: false } })]))).toEqual([
    'remove exited',
  ])
})

test('demand is the sum of its sources', () => {
  const queue = { kind: 'queue', waiting: 3, waitingNormal: 2, oldestWaitingAt: 7 } as const
  const requests = { kind: 'requests', waiting: 1, waitingNormal: 1, oldestWaitingAt: 5, perSecond: 2 } as const
  expect(demandFrom([queue, requests])).toEqual({ waiting: 4, waitingNormal: 3, open: 0, perSecond: 2, oldestWaitingAt: 5 })
  expect(demandFrom([])).toEqual({ waiting: 0, waitingNormal: 0, open: 0, perSecond: 0, oldestWaitingAt: undefined })
})

test('a drained host loses its idle workers at once and its busy ones after their jobs, which take no more', () => {
  const [idle, busy] = [record('w1'), record('w2')]
  const owner = view(endpoint('ep-one'), { workers: [idle, busy], leases: [lease('j1', 'w2')] })
  const cordon = { ...CORDON, drain: true }
  const drained = observed([owner], [{ ...host('h1', [gpu('a'), gpu('b')], [container(idle), container(busy)]), cordon }])
  const retired = plan(drained, NOW).actions.map((action) => [action.kind, 'workerId' in action && action.workerId])
  expect(retired).toEqual([
    ['drain', 'w1'],
    ['drain', 'w2'],
  ])
  const leaving = { drainingSince: NOW - 1000, retireReason: 'host_drained' } as const
  const later = observed([{ ...owner, workers: [{ ...busy, ...leaving }] }], [{ ...host('h1', [gpu('a')], [container(busy)]), cordon }])
  expect(plan(later, NOW).actions).toEqual([])
  expect(plan({ ...later, endpoints: [{ ...owner, workers: [{ ...busy, ...leaving }], leases: [] }] }, NOW).actions).toMatchObject([
    { kind: 'stop', workerId: 'w2', reason: 'host_drained' },
  ])
})

test('a host has no more workers than its limit, also within one plan, and the status says so', () => {
  const limited = (maxWorkers: number): HostView => {
    const found = host('h1', [gpu('a'), gpu('b'), gpu('c')])
    return { ...found, ...(found.inventory === undefined ? {} : { inventory: { ...found.inventory, maxWorkers } }) }
  }
  const many = [view(endpoint('ep-one'), waiting(3, 60_000))]
  expect(started(observed(many, [limited(2)]))).toEqual(['h1', 'h1'])
  expect(statusOf(observed(many, [limited(0)]))).toMatchObject({ reason: 'hosts_full', message: 'h1 has 0 workers, its limit' })
})

const GRACE_MS = 120_000
/** A host that has been away for so long, with a busy worker that was heard so long ago. */
function away(awayMs: number, heardMs: number, change: { readonly expired?: boolean; readonly unidentified?: boolean } = {}): Observed {
  const worker = record('w1', { lastSeenAt: NOW - heardMs, readyAt: NOW - HOUR, createdAt: NOW - HOUR })
  const held = lease('j1', 'w1', { startedAt: NOW - HOUR })
  const leases = change.expired === true ? [{ ...held, workerId: undefined }] : [held]
  const owner = view(endpoint('ep-one'), { workers: [worker], leases })
  const gone: HostView = { ...host('h1', [gpu('a')]), workers: undefined, awaySince: NOW - awayMs }
  const seen = change.unidentified === true ? { ...gone, hostId: 'box', isIdentified: false } : gone
  return { ...observed([owner], [seen, host('h2', [gpu('b')])]), planeUpSince: NOW - HOUR }
}
const lost = (world: Observed) =>
  plan(world, NOW).actions.map((action) => ('reason' in action ? `${action.kind} ${action.reason}` : action.kind))

test.each([{}, { unidentified: true }])(
  'a worker on a host that is away is left alone within the grace, and lost after it: %j',
  (change) => {
    expect(lost(away(GRACE_MS - 1, HOUR, change))).toEqual([])
    expect(plan(away(GRACE_MS - 1, HOUR, change), NOW).nextDueAt).toBe(NOW + 1)
    expect(lost(away(GRACE_MS, HOUR, change))).toEqual(['take-back host_lost', 'remove host_lost'])
  },
)

test('a worker that still reports is never given up, however long its host is away', () => {
  expect(lost(away(HOUR, 1000))).toEqual([])
})

test('a job whose lease has expired stays with the worker of a host that is away, until the host is given up', () => {
  expect(lost(away(GRACE_MS - 1, HOUR, { expired: true }))).toEqual([])
  expect(lost(away(GRACE_MS, HOUR, { expired: true })).filter((words) => words.startsWith('take-back'))).not.toEqual([])
})

test('the workers of one plan follow their volume to the host that the first of them chose, and one that no host has is named', () => {
  const place = { id: 'v1', name: 'models', dataCenterId: null, storeId: undefined }
  const found = endpoint('ep-one', { settings: { workersMax: 4 } })
  const planned = (volume: object) =>
    plan(
      observed(
        [view(found, { ...waiting(3, 60_000), volumes: [[{ ...place, ...volume }]] })],
        [host('h1', [gpu('g0')]), host('h2', [gpu('g1')])],
      ),
      NOW,
    )
  const { actions, statuses } = planned({})
  expect(actions).toMatchObject([{ kind: 'start', hostId: 'h1', volumes: [{ id: 'v1', storeId: 'host h1' }] }])
  expect(statuses.get('ep-one')).toMatchObject({ throttled: 2 })
  const gone = planned({ isGone: true })
  expect(gone.actions).toEqual([])
  expect(gone.statuses.get('ep-one')?.message).toBe('no host has the volume "models" (it does not exist any more): h1, h2')
})

test('an endpoint without its build wants no place, and its status says so while a job waits', () => {
  const deployment = { kind: 'none', message: 'nothing was deployed yet' } as const
  const statusWith = (change: object) =>
    plan(observed([view(endpoint('ep-one'), { deployment, ...change })], [host('h1', [gpu('g0')])]), NOW).statuses.get('ep-one')
  expect(statusWith(waiting(1))).toMatchObject({ throttled: 1, reason: 'not_deployed', message: deployment.message })
  expect(statusWith({})).toMatchObject({ throttled: 0, reason: undefined })
})

test('a worker without a limit of memory counts with none', () => {
  const found = host('h1', [gpu('a')])
  const open = { ...found, inventory: found.inventory && { ...found.inventory, gpuMemoryBytes: 0 } }
  const { actions } = plan(observed([view(endpoint('ep-one'), waiting(1))], [open]), NOW)
  expect(actions).toMatchObject([{ kind: 'start', memoryBytes: undefined }])
})
