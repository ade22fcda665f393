import { expect, test } from 'vitest'
import { DEFAULT_PLAN_POLICY, type Action, type EndpointView, type Observed } from './observed.ts'
import { plan } from './plan.ts'
import { container, endpoint, exited, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'

const CARDS = [gpu('g0'), gpu('g1')]

function kinds(seen: Observed): readonly string[] {
  return plan(seen, NOW).actions.map(brief)
}

function brief(action: Action): string {
  const subject =
    'workerId' in action ? (action.workerId ?? '-') : action.kind === 'start' ? action.gpus.map(({ uuid }) => uuid).join('+') : ''
  const reason = 'reason' in action ? ` (${action.reason})` : ''
  return `${action.kind} ${subject}${reason}`.replace('  ', ' ')
}

/** One endpoint, one host that runs a container for each worker. */
function world(change: Partial<EndpointView>, more: Partial<Observed> = {}): Observed {
  const workers = change.workers ?? []
  const containers = workers.map((worker) => container(worker))
  return observed([view(endpoint('ep-one'), change)], [host('h1', CARDS, containers)], more)
}

test.each<[string, Observed, readonly string[]]>([
  ['no worker starts without a job', world({}), []],
  ['the first job starts one worker at once', world(waiting(1)), ['start g0 (first_job)']],
  ['eight jobs at zero workers start one worker', world(waiting(8)), ['start g0 (first_job)']],
  [
    'QUEUE_DELAY: jobs at zero workers that have waited for longer start one each',
    world(waiting(8, 4001)),
    ['start g0 (first_job)', 'start g1 (first_job)'],
  ],
  [
    'QUEUE_DELAY: jobs that have waited for longer start more although a worker is starting',
    world({ ...waiting(2, 4001), workers: [record('w1', { readyAt: undefined, gpus: [CARDS[0]] } as never)] }),
    ['start g1 (jobs_waiting)'],
  ],
  [
    'a starting worker counts as supply for a new queue',
    world({ ...waiting(3, 1000), workers: [record('w1', { readyAt: undefined, gpus: [CARDS[0]] } as never)] }),
    [],
  ],
  [
    'jobs that wait while the worker is busy start more workers',
    world({ ...waiting(3, 600), workers: [record('w1')], leases: [lease('j1', 'w1')] }),
    ['start g0 (jobs_waiting)', 'start g1 (jobs_waiting)'],
  ],
  [
    'a queue behind a busy worker waits a moment first',
    world({ ...waiting(3, 100), workers: [record('w1')], leases: [lease('j1', 'w1')] }),
    [],
  ],
  ['an idle worker is expected to take the job', world({ ...waiting(1, 600), workers: [record('w1')] }), []],
  [
    'an idle worker that does not take a waiting job is no supply',
    world({ ...waiting(1, 5000), workers: [record('w1')] }),
    ['start g0 (jobs_waiting)'],
  ],
  [
    'jobs of unknown age start a worker',
    world({ demand: { waiting: 1, waitingNormal: 1, oldestWaitingAt: undefined } }),
    ['start g0 (first_job)'],
  ],
  ['low-priority jobs start no worker', world({ demand: { waiting: 2, waitingNormal: 0, oldestWaitingAt: NOW } }), []],
])('growth: %s', (_, seen, expected) => {
  expect(kinds(seen)).toEqual(expected)
})

test.each<[string, number | null, number | undefined, readonly string[]]>([
  ['above its disk limit is retired', 10, 11 * 2 ** 30, ['drain w1 (over_disk)']],
  ['within its disk limit stays', 10, 10 * 2 ** 30, []],
  ['without a measurement stays', 10, undefined, []],
  ['without a disk limit stays', null, 11 * 2 ** 30, []],
])('a worker %s', (_, diskGb, diskBytes, expected) => {
  const worker = record('w1')
  const seen = container(worker, diskBytes === undefined ? {} : { diskBytes })
  const ep = endpoint('ep-one')
  const views = [view({ ...ep, spec: { ...ep.spec, diskGb } }, { workers: [worker], leases: [lease('j1', 'w1')] })]
  expect(kinds(observed(views, [host('h1', CARDS, [seen])]))).toEqual(expected)
})

test('a worker above its disk limit is stopped without waiting for its jobs', () => {
  const draining = record('w1', { drainingSince: NOW - 1000, retireReason: 'over_disk' })
  const seen = world({ workers: [draining], leases: [lease('j1', 'w1')] })
  expect(kinds(seen)).toEqual(['take-back w1 (over_disk)', 'stop w1 (over_disk)'])
})

test('the minimum is kept even without jobs', () => {
  const found = endpoint('ep-one', { settings: { workersMin: 2 } })
  expect(kinds(observed([view(found)], [host('h1', CARDS)]))).toEqual(['start g0 (below_min)', 'start g1 (below_min)'])
})

test('REQUEST_COUNT counts the jobs of busy workers, too, and does not wait', () => {
  const found = endpoint('ep-one', { settings: { workersMax: 9, scaling: { type: 'REQUEST_COUNT', requestCount: 4 } } })
  const workers = [record('w1')]
  const seen = view(found, { ...waiting(8), workers, leases: [lease('j1', 'w1')] })
  const cards = Array.from({ length: 4 }, (_, n) => gpu(`g${n}`))
  expect(
    kinds(
      observed(
        [seen],
        [
          host(
            'h1',
            cards,
            workers.map((worker) => container(worker)),
          ),
        ],
      ),
    ),
  ).toHaveLength(2)
})

test('REQUEST_COUNT starts ceil(waiting / value) workers at once', () => {
  const found = endpoint('ep-one', { settings: { scaling: { type: 'REQUEST_COUNT', requestCount: 4 } } })
  expect(kinds(observed([view(found, waiting(5))], [host('h1', CARDS)]))).toEqual(['start g0 (first_job)', 'start g1 (first_job)'])
})

test('an idle worker is retired after idle_timeout, counted from its last job', () => {
  const settings = { idleTimeoutMs: 10_000 }
  const at = (lastJobEndedAt: number) =>
    plan(
      observed(
        [view(endpoint('ep-one', { settings }), { workers: [record('w1', { lastJobEndedAt })] })],
        [host('h1', CARDS, [container(record('w1'))])],
      ),
      NOW,
    )
  expect(at(NOW - 10_000).actions.map(brief)).toEqual(['drain w1 (idle_timeout)'])
  expect(at(NOW - 9000).actions).toEqual([])
  expect(at(NOW - 9000).nextDueAt).toBe(NOW + 1000)
})

test('no idle worker is retired while jobs wait, because it is about to take one', () => {
  const found = endpoint('ep-one', { settings: { idleTimeoutMs: 1000 } })
  const seen = observed([view(found, { ...waiting(1), workers: [record('w1')] })], [host('h1', CARDS, [container(record('w1'))])])
  expect(kinds(seen)).toEqual([])
})

test('scale-down keeps min workers and takes the longest idle first', () => {
  const workers = [record('young', { lastJobEndedAt: NOW - 70_000 }), record('old', { lastJobEndedAt: NOW - 90_000 })]
  const found = endpoint('ep-one', { settings: { workersMin: 1, idleTimeoutMs: 60_000 } })
  const containers = workers.map((worker) => container(worker))
  expect(kinds(observed([view(found, { workers })], [host('h1', CARDS, containers)]))).toEqual(['drain old (idle_timeout)'])
})

test('above max, idle workers are retired first, and a busy one is drained and not stopped', () => {
  const workers = [record('busy'), record('idle')]
  const found = endpoint('ep-one', { settings: { workersMax: 0 } })
  const containers = workers.map((worker) => container(worker))
  const seen = observed([view(found, { workers, leases: [lease('j1', 'busy')] })], [host('h1', CARDS, containers)])
  expect(kinds(seen)).toEqual(['drain idle (above_max)', 'drain busy (above_max)'])
})

test.each<[string, Parameters<typeof record>[1], number, readonly string[]]>([
  ['is not stopped until the gateway knows that it drains', { drainingSince: NOW - 1 }, 0, []],
  ['is stopped once it holds no job', { drainingSince: NOW - 200 }, 0, ['stop w1 (idle_timeout)']],
  ['finishes its job first', { drainingSince: NOW - 60_000 }, 1, []],
])('a draining worker %s', (_, fields, leases, expected) => {
  const workers = [record('w1', { retireReason: 'idle_timeout', ...fields })]
  expect(kinds(world({ workers, leases: leases === 0 ? [] : [lease('j1', 'w1')] }))).toEqual(expected)
})

test.each([
  ['another image', 'new', ['serve-on busy', 'mark-outdated idle', 'drain idle (image_rebuilt)', 'start g0 (below_min)']],
  ['the same image', 'old', []],
  ['an unknown image', undefined, []],
])('after a save, a tag that now refers to %s', (_, imageId, expected) => {
  const workers = [record('idle'), record('busy')]
  const found = endpoint('ep-one', { settings: { workersMin: 1 } })
  const containers = workers.map((worker) => container(worker, { imageId: 'old' }))
  const imageIds = new Map(workers.flatMap(({ id }) => (imageId === undefined ? [] : [[id, imageId] as const])))
  expect(kinds(observed([view(found, { workers, leases: [lease('j1', 'busy')], imageIds })], [host('h1', CARDS, containers)]))).toEqual(
    expected,
  )
})

test('an update that replaces all workers at a time ends idle ones at once and lets busy ones finish', () => {
  const workers = [record('idle', { specHash: 'old' }), record('busy', { specHash: 'old' })]
  const found = endpoint('ep-one', { settings: { workersMin: 1 } })
  const containers = workers.map((worker) => container(worker))
  const policy = { ...DEFAULT_PLAN_POLICY, replacePercent: 100 }
  expect(kinds(observed([view(found, { workers, leases: [lease('j1', 'busy')] })], [host('h1', CARDS, containers)], { policy }))).toEqual([
    'mark-outdated idle',
    'drain idle (outdated)',
    'mark-outdated busy',
    'drain busy (outdated)',
    'start g0 (below_min)',
  ])
})

test.each<[string, ReturnType<typeof exited>, string]>([
  ['killed', exited(record('w1'), 137), 'exited'],
  ['out of memory', exited(record('w1'), 137, true), 'out_of_memory'],
])('if a worker is %s during a job, the same plan takes the job back and replaces the worker', (_, dead, reason) => {
  const found = view(endpoint('ep-one', { settings: { workersMin: 1 } }), { workers: [record('w1')], leases: [lease('j1', 'w1')] })
  const decided = plan(observed([found], [host('h1', CARDS, [dead])]), NOW)
  expect(decided.actions.map(brief)).toEqual([`take-back w1 (${reason})`, `remove w1 (${reason})`, 'start g0 (below_min)'])
  expect(decided.actions[1]).toMatchObject({ isStartFailure: false })
})

test('a worker that dies before it is ready counts as a failed start', () => {
  const { readyAt: _, ...young } = record('w1')
  const [action] = plan(observed([view(endpoint('ep-one'), { workers: [young] })], [host('h1', CARDS, [exited(young)])]), NOW).actions
  expect(action).toMatchObject({ kind: 'remove', isStartFailure: true })
})

test.each([
  ['exits by itself before its first job', {}, 1, true],
  ['is killed', {}, 137, false],
  ['exits by itself after a job', { lastJobEndedAt: NOW - 5000 }, 1, false],
] as const)('a ready worker that %s', (_, fields, exitCode, isStartFailure) => {
  const worker = record('w1', fields)
  const seen = observed([view(endpoint('ep-one'), { workers: [worker] })], [host('h1', CARDS, [exited(worker, exitCode)])])
  expect(plan(seen, NOW).actions).toEqual([expect.objectContaining({ kind: 'remove', isStartFailure })])
})

test.each([
  [{ unhealthyReason: '_network_check: no route' }, 'unhealthy_check'],
  [{ refreshRequested: true }, 'refresh_requested'],
  [{}, 'exited'],
] as const)('a worker that ended after saying %j is gone for the reason %s', (fields, reason) => {
  const worker = record('w1', fields)
  const seen = observed([view(endpoint('ep-one'), { workers: [worker] })], [host('h1', CARDS, [exited(worker)])])
  expect(kinds(seen)).toEqual([`remove w1 (${reason})`])
})

test('a failing start is not replaced before its failure is recorded', () => {
  const { readyAt: _ready, ...young } = record('w1')
  const dead = observed([view(endpoint('ep-one'), { ...waiting(1), workers: [young] })], [host('h1', CARDS, [exited(young, 1)])])
  expect(kinds(dead)).toEqual(['remove w1 (exited)'])
  const unfit = { ...young, unhealthyReason: 'no CUDA' }
  const alive = observed([view(endpoint('ep-one'), { ...waiting(1), workers: [unfit] })], [host('h1', CARDS, [container(unfit)])])
  expect(kinds(alive)).toEqual(['drain w1 (unhealthy_check)'])
})

test('after a failed start the next attempt waits, and the status says so', () => {
  const failures = {
    specHash: 'spec-1',
    count: 2,
    lastAt: NOW - 29_000,
    workerCreatedAt: NOW - 40_000,
    reason: 'exited' as const,
    message: 'it crashed',
  }
  const paused = plan(world({ ...waiting(1), failures }), NOW)
  expect(paused.actions).toEqual([])
  expect(paused.nextDueAt).toBe(NOW + 1000)
  expect(paused.statuses.get('ep-one')).toEqual({
    throttled: 0,
    unhealthy: 1,
    reason: 'backing_off',
    message: 'the next try is due at 1970-01-12T13:46:41.000Z; the last one failed: it crashed',
    nextTryAt: NOW + 1000,
  })
  const { readyAt: _ready, ...young } = record('w1', { createdAt: NOW - 1000 })
  const trying = plan(world({ ...waiting(1), failures, workers: [young] }), NOW)
  expect(trying.statuses.get('ep-one')).toMatchObject({
    message: 'the next try is under way; the last one failed: it crashed',
    nextTryAt: undefined,
  })
  expect(kinds(world({ ...waiting(5, 9000), failures: { ...failures, lastAt: NOW - 30_000 } }))).toEqual(['start g0 (first_job)'])
  expect(kinds(world({ ...waiting(1), failures: { ...failures, specHash: 'older' } }))).toEqual(['start g0 (first_job)'])
  const calm = plan(world({ failures: { ...failures, lastAt: NOW - 30_000 } }), NOW)
  expect(calm.statuses.get('ep-one')?.message).toBe('the next job starts the next try; the last one failed: it crashed')
  const missing = plan(world({ ...waiting(1), failures: { ...failures, reason: 'image_missing' } }), NOW)
  expect(missing.statuses.get('ep-one')).toMatchObject({ reason: 'image_missing' })
})

test('a worker that is not ready in time is retired; its own RUNPOD_INIT_TIMEOUT takes precedence', () => {
  const { readyAt: _, ...slow } = record('w1')
  const seen = (env: Record<string, string>) =>
    observed([view(endpoint('ep-one', { spec: { env } }), { workers: [slow] })], [host('h1', CARDS, [container(slow)])])
  expect(kinds(seen({ RUNPOD_INIT_TIMEOUT: '90' }))).toEqual(['drain w1 (init_timeout)'])
  expect(plan(seen({}), NOW).nextDueAt).toBe(NOW - 99_000 + 420_000)
})

test('a silent worker is lost only if the gateway was reachable during the silence', () => {
  const workers = [record('w1', { lastSeenAt: NOW - 61_000 })]
  expect(kinds(world({ workers }))).toEqual(['drain w1 (heartbeat_lost)'])
  expect(kinds(world({ workers }, { planeUpSince: undefined }))).toEqual([])
  expect(kinds(world({ workers }, { planeUpSince: NOW - 10_000 }))).toEqual([])
})

test('an expired lease is taken back, but not right after a gateway outage', () => {
  const change = { workers: [record('w1')], leases: [lease('j1', undefined)] }
  expect(kinds(world(change))).toEqual(['take-back - (heartbeat_lost)'])
  expect(kinds(world(change, { planeUpSince: NOW - 1000 }))).toEqual([])
})

test('a take-back names the worker that lost its lease, so that it can be replaced', () => {
  const change = { workers: [record('w1')], leases: [lease('j1', undefined, { lastHolder: 'w1' })] }
  expect(plan(world(change), NOW).actions).toEqual([expect.objectContaining({ kind: 'take-back', workerId: undefined, lastHolder: 'w1' })])
})

test('a silent worker keeps its job until its host was listed after the lease had expired, because both may have been cut off', () => {
  const leases = [lease('j1', undefined, { lastHolder: 'w1' })]
  const silent = record('w1', { lastSeenAt: NOW - 41_000 })
  const listed = (observedAt: number) =>
    observed([view(endpoint('ep-one'), { workers: [silent], leases })], [{ ...host('h1', CARDS, [container(silent)]), observedAt }])
  expect(kinds(listed(NOW - 2000))).toEqual([])
  expect(kinds(listed(NOW - 500))).toEqual(['take-back - (heartbeat_lost)'])
})

test('a worker that was cut off right after a ping without the job keeps it, and one that goes on without the job does not', () => {
  const leases = [lease('j1', undefined, { lastHolder: 'w1' })]
  const heard = (agoMs: number, observedAt = NOW - agoMs) => {
    const worker = record('w1', { readyAt: NOW - 40_500, lastSeenAt: NOW - agoMs })
    return observed([view(endpoint('ep-one'), { workers: [worker], leases })], [{ ...host('h1', CARDS, [container(worker)]), observedAt }])
  }
  expect(kinds(heard(39_500))).toEqual([])
  expect(plan(heard(39_500), NOW).nextDueAt).toBe(NOW + 500)
  expect(kinds(heard(10_000))).toEqual(['take-back - (heartbeat_lost)'])
})

test('a silent worker that is listed by a host of another name is replaced at once', () => {
  const silent = record('w1', { hostId: 'local', lastSeenAt: NOW - 61_000 })
  const seen = observed([view(endpoint('ep-one'), { workers: [silent] })], [host('docker:engine', CARDS, [container(silent)])])
  expect(kinds(seen)).toEqual(['drain w1 (heartbeat_lost)'])
})

test('a worker that asked to be replaced is drained', () => {
  expect(kinds(world({ workers: [record('w1', { refreshRequested: true })] }))).toEqual(['drain w1 (refresh_requested)'])
})

test('a running container of which no start is known has run since its record was written', () => {
  const { readyAt: _ready, containerStartedAt: _started, ...young } = record('w1', { createdAt: NOW - 421_000 })
  const seen = observed([view(endpoint('ep-one'), { workers: [young] })], [host('h1', CARDS, [container(young, { startedAt: undefined })])])
  expect(kinds(seen)).toEqual(['drain w1 (init_timeout)'])
})

test('a silent worker is replaced after the next listing of its host, because both may have been cut off', () => {
  const silent = record('w1', { lastSeenAt: NOW - 61_000 })
  const listed = (observedAt: number) =>
    observed([view(endpoint('ep-one'), { workers: [silent] })], [{ ...host('h1', CARDS, [container(silent)]), observedAt }])
  expect(kinds(listed(NOW - 2000))).toEqual([])
  expect(kinds(listed(NOW - 500))).toEqual(['drain w1 (heartbeat_lost)'])
})

test('a worker whose lease expired during an outage is not retired as idle, or stopped before its job is taken back', () => {
  const leases = [lease('j1', undefined, { lastHolder: 'w1' })]
  const away = { planeUpSince: undefined }
  const idle = record('w1', { readyAt: NOW - 500_000, lastJobEndedAt: NOW - 400_000 })
  expect(kinds(world({ workers: [idle] }, away))).toEqual(['drain w1 (idle_timeout)'])
  expect(kinds(world({ workers: [idle], leases }, away))).toEqual([])
  const draining = record('w1', { drainingSince: NOW - 500, retireReason: 'outdated' })
  expect(kinds(world({ workers: [draining], leases }, away))).toEqual([])
})

test('a job past its execution timeout during an outage is not ended before late results could arrive', () => {
  const change = { workers: [record('w1')], leases: [lease('j1', 'w1', { executionTimeoutMs: 1000 })] }
  expect(kinds(world(change, { planeUpSince: undefined }))).toEqual([])
  expect(kinds(world(change, { planeUpSince: NOW - 2000 }))).toEqual([])
  expect(kinds(world(change, { planeUpSince: NOW - 16_000 }))).toEqual(['time-out w1'])
})

test('a lease of a worker without a record is taken back', () => {
  expect(kinds(world({ leases: [lease('j1', 'ghost')] }))).toContain('take-back ghost (heartbeat_lost)')
})

test('a job past its execution timeout is ended, by its own limit or its endpoint’s', () => {
  const workers = [record('w1')]
  const own = { workers, leases: [lease('j1', 'w1', { executionTimeoutMs: 5000 })] }
  expect(kinds(world(own))).toEqual(['time-out w1'])
  const found = endpoint('ep-one', { settings: { executionTimeoutMs: 5000 } })
  const seen = observed([view(found, { workers, leases: [lease('j1', 'w1')] })], [host('h1', CARDS, [container(record('w1'))])])
  expect(kinds(seen)).toEqual(['time-out w1'])
})

test('a worker that stays busy after an execution timeout is retired, one that took another job stays', () => {
  const stopRequests = new Map([['w1', { at: NOW - 10_000, why: 'timeout' as const }]])
  expect(kinds(world({ workers: [record('w1')] }, { stopRequests }))).toEqual(['drain w1 (execution_timeout)'])
  expect(kinds(world({ workers: [record('w1')], leases: [lease('j2', 'w1')] }, { stopRequests }))).toEqual([])
  expect(kinds(world({ workers: [record('w1', { lastJobEndedAt: NOW - 5000 })] }, { stopRequests }))).toEqual([])
})

test('after a cancel a worker is retired only if jobs wait that it does not take', () => {
  const stopRequests = new Map([['w1', { at: NOW - 20_000, why: 'cancel' as const }]])
  expect(kinds(world({ workers: [record('w1')] }, { stopRequests }))).toEqual([])
  expect(kinds(world({ ...waiting(1, 11_000), workers: [record('w1')] }, { stopRequests }))).toContain('drain w1 (execution_timeout)')
})

test.each([
  ['1.7.7', true],
  ['1.9.1', true],
  ['0.10.0', true],
  ['1.10.0', false],
  ['2.0.0rc2', false],
  ['runyard-agent/0.1.0', false],
  [undefined, false],
])('a worker that cannot receive stop orders is retired as soon as a job waits: SDK %s', (sdkVersion, isDeaf) => {
  const stopRequests = new Map([['w1', { at: NOW - 2000, why: 'cancel' as const }]])
  const workers = [record('w1', sdkVersion === undefined ? {} : { sdkVersion })]
  expect(kinds(world({ workers }, { stopRequests }))).toEqual([])
  const planned = kinds(world({ ...waiting(1, 1500), workers }, { stopRequests }))
  expect(planned.includes('drain w1 (execution_timeout)')).toBe(isDeaf)
})

test('a host that does not respond keeps its workers and gets no new one', () => {
  const workers = [record('w1', { lastJobEndedAt: NOW - 90_000, specHash: 'old' })]
  const seen = observed([view(endpoint('ep-one'), { ...waiting(1), workers })], [{ ...host('h1', CARDS), workers: undefined }])
  const decided = plan(seen, NOW)
  expect(decided.actions).toEqual([])
  expect(decided.statuses.get('ep-one')).toMatchObject({ throttled: 1, reason: 'no_host' })
})

test('a record without a container is lost after a grace period, not before', () => {
  const young = record('w1', { createdAt: NOW - 1000, containerStartedAt: NOW - 500 })
  const seen = (workers: EndpointView['workers']) => observed([view(endpoint('ep-one'), { workers })], [host('h1', CARDS)])
  expect(kinds(seen([young]))).toEqual([])
  expect(kinds(seen([record('w1')]))).toEqual(['remove w1 (exited)'])
})

test.each<[string, Parameters<typeof record>[1], Partial<Observed>, readonly string[]]>([
  ['reports', { lastSeenAt: NOW - 50_000 }, {}, []],
  ['was silent for too long', { lastSeenAt: NOW - 61_000 }, {}, ['take-back w1 (host_lost)', 'remove w1 (host_lost)']],
  ['was silent while it could not be heard', { lastSeenAt: NOW - 61_000 }, { planeUpSince: NOW - 30_000 }, []],
  ['is silent while it cannot be heard', { lastSeenAt: NOW - 61_000 }, { planeUpSince: undefined }, []],
  ['has an outdated spec and reports', { lastSeenAt: NOW - 1000, specHash: 'old' }, {}, []],
  ['is to be drained and reports', { lastSeenAt: NOW - 1000, drainingSince: NOW - 9000, retireReason: 'above_max' }, {}, []],
])('a worker on a host of another scaler that %s', (_, fields, more, expected) => {
  const worker = record('w1', { hostId: 'theirs', ...fields })
  const change = { workers: [worker], leases: [lease('j1', 'w1')] }
  expect(kinds(observed([view(endpoint('ep-one'), change)], [host('h1', CARDS)], more))).toEqual(expected)
})

test('a worker on a host of another scaler counts as supply, and the plan is due when its silence counts', () => {
  const found = endpoint('ep-one', { settings: { workersMin: 1, workersMax: 1 } })
  const worker = record('w1', { hostId: 'theirs', lastSeenAt: NOW - 1000 })
  expect(kinds(observed([view(found, { workers: [worker], ...waiting(3, 9000) })], [host('h1', CARDS)]))).toEqual([])
  const decided = plan(observed([view(found, { workers: [worker] })], [host('h1', CARDS)]), NOW)
  expect(decided.actions).toEqual([])
  expect(decided.nextDueAt).toBe(NOW - 1000 + 60_000)
})

test('while one of our hosts is not identified, a worker on an unknown host is left alone', () => {
  const worker = record('w1', { hostId: 'docker:engine', lastSeenAt: NOW - 500_000 })
  const unnamed = { ...host('local', CARDS), workers: undefined, isIdentified: false }
  expect(kinds(observed([view(endpoint('ep-one'), { workers: [worker] })], [host('h1', CARDS), unnamed]))).toEqual([])
})

test('a worker belongs to the host that lists it, even if its record has the host’s earlier name', () => {
  const worker = record('w1', { hostId: 'local', readyAt: NOW - 400_000 })
  const drained = record('w2', { hostId: 'local', drainingSince: NOW - 9000, retireReason: 'above_max' })
  const seen = observed(
    [view(endpoint('ep-one'), { workers: [worker, drained] })],
    [host('docker:engine', CARDS, [container(worker), container(drained)])],
  )
  expect(plan(seen, NOW).actions).toEqual([
    expect.objectContaining({ kind: 'stop', workerId: 'w2', hostId: 'docker:engine' }),
    expect.objectContaining({ kind: 'drain', workerId: 'w1', hostId: 'docker:engine' }),
  ])
})

test.each<[string, Parameters<typeof record>[1], Partial<Observed>, readonly string[]]>([
  ['is resumed', {}, {}, ['resume w1']],
  ['is not resumed while a start is in flight', {}, { inFlight: new Map([['worker:w1', 'start' as const]]) }, []],
  ['is abandoned if its spec is outdated', { specHash: 'old' }, {}, ['mark-outdated w1', 'drain w1 (outdated)']],
  ['is removed once it drains', { drainingSince: NOW - 10, retireReason: 'outdated' }, {}, ['remove w1 (outdated)']],
  ['is abandoned at shutdown', {}, { shutdown: true }, ['drain w1 (shutdown)']],
])('a start whose scaler died before there was a container %s', (_, fields, more, expected) => {
  const { readyAt: _ready, containerStartedAt: _started, ...placed } = record('w1', fields)
  const found = view(endpoint('ep-one'), { workers: [placed] })
  const listings = [[], [container(placed, { state: 'created', startedAt: undefined })]]
  for (const listed of listings) expect(kinds(observed([found], [host('h1', CARDS, listed)], more))).toEqual(expected)
})

test('GPUs that workers of another installation hold are not assigned', () => {
  const shared = { ...host('h1', CARDS), cardsOfOthers: ['g0'] }
  expect(kinds(observed([view(endpoint('ep-one'), waiting(1))], [shared]))).toEqual(['start g1 (first_job)'])
  const full = observed([view(endpoint('ep-one'), waiting(1))], [{ ...shared, cardsOfOthers: ['g0', 'g1'] }])
  expect(plan(full, NOW).statuses.get('ep-one')).toMatchObject({ throttled: 1, reason: 'gpus_busy' })
})

test.each([
  ['never had a record', false, 14_999, []],
  ['never had a record', false, 15_000, ['reap stray']],
  ['had a record earlier', true, 59_999, []],
  ['had a record earlier', true, 60_000, ['reap stray']],
] as const)('a container without a record is reaped after a grace period: one that %s (%s, %d ms)', (_, wasKnown, ms, expected) => {
  const stray = container({ id: 'stray', endpointId: 'ep-gone', gpus: [] })
  const strangers = new Map([['stray', { since: NOW - ms, wasKnown }]])
  const decided = plan(observed([], [host('h1', CARDS, [stray])], { strangers }), NOW)
  expect(decided.actions.map(brief)).toEqual(expected)
  expect(decided.nextDueAt).toBe(expected.length === 0 ? NOW + 1 : Infinity)
  expect(kinds(observed([], [host('h1', CARDS, [stray])], { strangers: new Map() }))).toEqual([])
})

test('a worker that is being started may be drained, stopped or marked, and nothing else is decided about it', () => {
  const inFlight = new Map([['worker:w1', 'start' as const]])
  const leaving = { drainingSince: NOW - 9000, retireReason: 'above_max' as const }
  expect(kinds(world({ workers: [record('w1', { specHash: 'old' })] }, { inFlight }))).toEqual(['mark-outdated w1', 'drain w1 (outdated)'])
  expect(kinds(world({ workers: [record('w1', leaving)] }, { inFlight }))).toEqual(['stop w1 (above_max)'])
  const one = view(endpoint('ep-one'), { workers: [record('w1', { ...leaving, hostId: 'h9' })] })
  const cut = { ...host('h9', CARDS), workers: undefined }
  for (const hosts of [[host('h1', CARDS)], [cut]]) expect(kinds(observed([one], hosts, { inFlight }))).toEqual([])
})

test('a start that was retired before its container ran has failed', () => {
  const {
    readyAt: _ready,
    containerStartedAt: _started,
    ...young
  } = record('w1', { createdAt: NOW - 100_000, drainingSince: NOW - 90_000 })
  expect(kinds(observed([view(endpoint('ep-one'), { workers: [young] })], [host('h1', CARDS)]))).toEqual(['remove w1 (start_failed)'])
})

test('a container without a record is reaped, unless an action on it is in flight', () => {
  const stray = container({ id: 'stray', endpointId: 'ep-gone', gpus: [] })
  expect(kinds(observed([], [host('h1', CARDS, [stray])]))).toEqual(['reap stray'])
  expect(kinds(observed([], [host('h1', CARDS, [stray])], { inFlight: new Map([['worker:stray', 'other']]) }))).toEqual([])
})

test('a deleted endpoint stops its workers without waiting for jobs, then is forgotten', () => {
  const deleted = { endpoint: undefined }
  const draining = record('w1', { drainingSince: NOW - 500, retireReason: 'endpoint_deleted' })
  expect(kinds(world({ ...deleted, workers: [record('w1')] }))).toEqual(['drain w1 (endpoint_deleted)'])
  expect(kinds(world({ ...deleted, workers: [draining], leases: [lease('j1', 'w1')] }))).toEqual(['stop w1 (endpoint_deleted)'])
  expect(kinds(world(deleted))).toEqual(['forget-endpoint'].map((kind) => `${kind} `))
})

test('shutdown retires every worker, lets busy ones finish while the gateway is reachable, and starts none', () => {
  const workers = [record('w1'), record('w2', { drainingSince: NOW - 500, retireReason: 'shutdown' })]
  const change = { ...waiting(5, 9000), workers, leases: [lease('j1', 'w2')] }
  expect(kinds(world(change, { shutdown: true }))).toEqual(['drain w1 (shutdown)'])
  expect(kinds(world(change, { shutdown: true, planeUpSince: undefined }))).toEqual([
    'take-back w2 (shutdown)',
    'stop w2 (shutdown)',
    'drain w1 (shutdown)',
  ])
})

test('the status of a paused endpoint says why its jobs wait', () => {
  const found = endpoint('ep-one', { settings: { workersMax: 0 } })
  expect(plan(observed([view(found, waiting(2))], [host('h1', CARDS)]), NOW).statuses.get('ep-one')).toMatchObject({
    reason: 'paused',
    message: "the endpoint's maximum is 0 workers, so 2 jobs wait",
  })
})

test('the endpoint whose job has waited longest gets the last GPU', () => {
  const one = view(endpoint('ep-one'), waiting(1, 100))
  const two = view(endpoint('ep-two'), waiting(1, 900))
  const decided = plan(observed([one, two], [host('h1', [gpu('g0')])]), NOW)
  expect(decided.actions).toEqual([expect.objectContaining({ kind: 'start', endpointId: 'ep-two' })])
  expect(decided.statuses.get('ep-one')).toMatchObject({ throttled: 1, reason: 'gpus_busy' })
})

test('results above the total limit are swept from the endpoints that keep the most, soon even if no job runs', () => {
  const keeps = (id: string, keptBytes: number) => view(endpoint(id), { queue: { ended: 1, keptBytes }, sweptAt: NOW - 6000 })
  const policy = { ...observed([], []).policy, keepBytes: 10 }
  const planned = plan(observed([keeps('ep-one', 3), keeps('ep-two', 9)], [host('h1', CARDS)], { policy }), NOW)
  expect(planned.actions).toEqual([{ kind: 'sweep', endpointId: 'ep-two', keepBytes: 7, remind: false }])
})

test('expired jobs that are not in the journal make a sweep due at once, even if nothing else is', () => {
  const found = view(endpoint('ep-one'), { sweptAt: NOW })
  const sweeps = (expiredUntaken: number) =>
    plan(observed([{ ...found, queue: { ...found.queue, expiredUntaken } }], [host('h1', CARDS)]), NOW).actions
  expect(sweeps(0)).toEqual([])
  expect(sweeps(1)).toEqual([expect.objectContaining({ kind: 'sweep', endpointId: 'ep-one' })])
})

const { readyAt: _notReady, ...starting } = record('w1')

test.each([
  ['jobs wait and a worker is ready', waiting(1), record('w1'), true],
  ['no worker is ready', waiting(1), starting, false],
  ['the only worker drains', waiting(1), record('w1', { drainingSince: NOW }), false],
  ['nothing waits', { leases: [lease('j', 'w1')] }, record('w1'), false],
])('a sweep signals waiting jobs to the gateways only if a worker could take them: %s', (_name, change, worker, remind) => {
  const found = view(endpoint('ep-one'), { ...change, workers: [worker], sweptAt: NOW - 6000 })
  const { actions } = plan(observed([found], [host('h1', CARDS, [container(worker)])]), NOW)
  expect(actions).toContainEqual({ kind: 'sweep', endpointId: 'ep-one', keepBytes: Infinity, remind })
})

test('the plan is due at the earliest job deadline or lease expiry, and sweeps then', () => {
  const demand = { waiting: 1, waitingNormal: 1, oldestWaitingAt: NOW - 1000 }
  const of = (nextDeadlineAt: number, expiresAt: number) =>
    plan(
      world({
        workers: [record('w1')],
        sweptAt: NOW,
        demand,
        queue: { ended: 0, keptBytes: 0, nextDeadlineAt },
        leases: [lease('j1', 'w1', { expiresAt })],
      }),
      NOW,
    )
  expect(of(NOW + 700, NOW + 900).nextDueAt).toBe(NOW + 700)
  expect(of(NOW + 900, NOW + 700).nextDueAt).toBe(NOW + 700)
  expect(of(NOW, NOW + 700).actions).toContainEqual(expect.objectContaining({ kind: 'sweep' }))
})
