import { RunyardError, toJson, type Endpoint, type JobSubmission, type WorkerRecord, WorkerLife } from '@runyard/schema'
import { expect, vi } from 'vitest'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }

function job(id: string, policy: JobSubmission['policy'] = {}): JobSubmission {
  return { id, input: toJson({}), sync: false, policy, keyId: 'key' }
}

async function save(endpoint: Endpoint): Promise<void> {
  await fixture.store.endpoints.upsert({ id: endpoint.id }, (current) => ({
    ...endpoint,
    createdAt: current?.createdAt ?? endpoint.createdAt,
  }))
}

async function workers(endpointId = 'ep-one'): Promise<readonly WorkerRecord[]> {
  return fixture.store.workers.list(endpointId)
}

/** What the gateway does at a worker's first contact. */
async function makeReady(worker: WorkerRecord): Promise<void> {
  const now = Date.now()
  await fixture.store.workers.patch({ endpointId: worker.endpointId, workerId: worker.id, fields: { readyAt: now, lastSeenAt: now } })
}

async function startedWorker(): Promise<WorkerRecord> {
  return vi.waitFor(async () => {
    const [worker] = await workers()
    if (worker?.containerStartedAt === undefined) throw new Error('no worker was started yet')
    return worker
  }, WAIT)
}

async function readyWorker(): Promise<WorkerRecord> {
  const worker = await startedWorker()
  await makeReady(worker)
  return worker
}

async function eventKinds(): Promise<readonly string[]> {
  return (await fixture.store.events.list('ep-one', 100)).map((event) => event.kind)
}

test('the first job starts one worker with its GPU, its environment and an open interval in the ledger', async () => {
  await fixture.open()
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  const worker = await startedWorker()
  const [launch] = fixture.host.launches
  expect(launch).toMatchObject({ workerId: worker.id, image: 'runyard/worker:latest', withAgent: true, gpus: worker.gpus })
  expect(launch?.env).toMatchObject({
    RUNPOD_POD_ID: worker.id,
    RUNPOD_AI_API_KEY: await fixture.store.workerToken('ep-one', worker.id),
    RUNPOD_WEBHOOK_GET_JOB: `http://plane:8081/v2/ep-one/job-take/${worker.id}?gpu=NVIDIA+GeForce+RTX+4090`,
    RUNYARD_ENVELOPE: 'flash',
  })
  expect(worker.gpus).toEqual([{ uuid: 'GPU-simulated-local-0', name: 'NVIDIA GeForce RTX 4090', pool: 'ADA_24', simulated: true }])
  expect(worker.startReason).toBe('first_job')
  expect(await fixture.store.ledger.currentState(worker.id)).toBe('initializing')
  // History is written beside the record.
  await vi.waitFor(async () => expect(await eventKinds()).toEqual(['worker_placed', 'worker_started']), WAIT)
  const system = async () => (await fixture.store.workerLogs.read(worker.id, 'system', 10)).map(({ line }) => line)
  const lines = ['create container runyard/worker:latest', 'start container for runyard/worker:latest: begin']
  await vi.waitFor(async () => expect(await system()).toEqual(lines), WAIT)
})

test('an idle worker is drained, stopped and removed after idle_timeout, and its ledger closes', async () => {
  await fixture.open()
  await save(endpointOf('ep-one', { settings: { idleTimeoutMs: 100 } }))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  const worker = await readyWorker()
  expect(await fixture.store.jobs.take('ep-one', worker.id)).toMatchObject({ id: 'j1' })
  await fixture.store.jobs.settle({
    endpointId: 'ep-one',
    jobId: 'j1',
    workerId: worker.id,
    outcome: { status: 'COMPLETED', output: toJson(1) },
  })
  await vi.waitFor(async () => expect(await workers()).toEqual([]), WAIT)
  await vi.waitFor(async () => expect(await eventKinds()).toContain('worker_gone'), WAIT)
  expect(fixture.host.observed.size).toBe(0)
  expect(await fixture.store.ledger.rows({ from: 0, to: Date.now() + 1 })).toEqual([
    expect.objectContaining({ workerId: worker.id, to: expect.any(Number) as number }),
  ])
  expect((await fixture.store.workers.getGone(worker.id))?.record.retireReason).toBe('idle_timeout')
  const life = WorkerLife.parse(JSON.parse((await fixture.store.history.life(worker.id)) ?? ''))
  const at = expect.any(Number) as number
  const times = { imageReadyAt: at, containerStartedAt: at, readyAt: at, drainingSince: at, goneAt: at }
  expect(life).toMatchObject({ id: worker.id, endpointName: 'ep-one', endReason: 'idle_timeout', exitCode: 0, ...times })
})

test.each([
  { earlier: [], said: /OOM-killed\); its last lines:\nthe last words$/u },
  { earlier: ['j0'], said: /OOM-killed\); lines that may be of other jobs are only in the log of the worker$/u },
])(
  'the job of a worker that was killed after the jobs $earlier is queued again with the evidence, and another worker is started',
  async ({ earlier, said }) => {
    await fixture.open()
    await save(endpointOf('ep-one', { settings: { workersMax: 1 } }))
    for (const id of [...earlier, 'j1']) await fixture.store.jobs.submit('ep-one', job(id))
    const first = await readyWorker()
    const held = { endpointId: 'ep-one', workerId: first.id }
    for (const jobId of earlier) {
      await fixture.store.jobs.take('ep-one', first.id)
      await fixture.store.jobs.settle({ ...held, jobId, outcome: { status: 'COMPLETED' } })
    }
    await fixture.store.jobs.take('ep-one', first.id)
    fixture.host.die(first.id, 137, { oomKilled: true })
    await vi.waitFor(async () => expect((await workers()).map(({ id }) => id)).toEqual([expect.not.stringContaining(first.id)]), WAIT)
    const [second] = await workers()
    expect(await fixture.store.jobs.take('ep-one', second?.id ?? '')).toMatchObject({ id: 'j1', attempt: 2 })
    const requeued = { kind: 'job_requeued', jobId: 'j1', reason: 'out_of_memory', message: expect.stringMatching(said) }
    await vi.waitFor(
      async () => expect(await fixture.store.events.list('ep-one', 100)).toContainEqual(expect.objectContaining(requeued)),
      WAIT,
    )
  },
)

test('jobs that wait behind a busy worker start more workers up to max, and GPUs are never shared', async () => {
  await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMax: 3 } }))
  for (const id of ['j1', 'j2', 'j3', 'j4']) await fixture.store.jobs.submit('ep-one', job(id))
  const first = await readyWorker()
  await fixture.store.jobs.take('ep-one', first.id)
  await vi.waitFor(async () => expect(await workers()).toHaveLength(2), WAIT)
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject({ throttled: 1, reason: 'gpus_busy' }), WAIT)
  const uuids = (await workers()).flatMap((worker) => worker.gpus.map((gpu) => gpu.uuid))
  expect(new Set(uuids).size).toBe(2)
})

test('a key gets no worker beyond its limit, and the next one as soon as the limit is raised', async () => {
  const { key } = await fixture.store.keys.create({ name: 'ci', ownerId: 'owner', limits: { workers: 1 } })
  await fixture.open()
  for (const id of ['ep-one', 'ep-two']) {
    await save({ ...endpointOf(id), keyId: key.id })
    await fixture.store.jobs.submit(id, job(`j-${id}`))
  }
  const throttled = async () =>
    (await Promise.all(['ep-one', 'ep-two'].map((id) => fixture.store.status.get(id)))).filter((status) => status?.reason === 'key_limit')
  await vi.waitFor(async () => expect(await throttled()).toHaveLength(1), WAIT)
  expect(fixture.host.launches).toHaveLength(1)
  await fixture.store.keys.limit(key.id, { workers: 2 })
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(2), WAIT)
})

test('an endpoint that no host can serve is throttled with the sentence why', async () => {
  await fixture.open()
  await save(endpointOf('ep-one', { spec: { gpu: { pools: ['HOPPER_141'], excludedTypes: [], count: 1, allowedCudaVersions: [] } } }))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await vi.waitFor(
    async () =>
      expect(await fixture.store.status.get('ep-one')).toMatchObject({
        throttled: 1,
        reason: 'no_matching_gpu',
        message: 'no host has a GPU of the requested types: wanted NVIDIA H200, hosts have NVIDIA GeForce RTX 4090',
      }),
    WAIT,
  )
  await vi.waitFor(async () => expect(await eventKinds()).toEqual(['worker_throttled']), WAIT)
})

test('an unavailable image is reported in the status, and nothing remains of the attempt', async () => {
  fixture.host.problem.image = new RunyardError('not_found', 'The image runyard/worker:latest is on no registry that answers.')
  await fixture.open()
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await vi.waitFor(
    async () =>
      expect(await fixture.store.status.get('ep-one')).toMatchObject({
        unhealthy: 1,
        reason: 'image_missing',
        message: expect.stringMatching(/the last one failed: The image runyard\/worker:latest is on no registry that answers\.$/u),
      }),
    WAIT,
  )
  await vi.waitFor(async () => expect(await workers()).toEqual([]), WAIT)
})

const SAVE = { now: 1, randomText: () => 'x', sha256: (text: string) => text }

test('a registry’s refusal is reported in the status, and retried as soon as there are other credentials', async () => {
  const { store, host } = fixture
  const registry = { id: 'r1', name: 'mine', ownerId: 'owner', createdAt: 1, updatedAt: 1 }
  const give = async (password: string) => {
    const current = await store.resources.registries.find('owner', 'r1')
    const edit = () => ({ ...registry, updatedAt: Date.now(), username: 'me', password })
    await store.resources.registries.save({ ...SAVE, ownerId: 'owner', id: current?.id, edit })
  }
  await give('old')
  host.problem.image = new RunyardError('forbidden', 'The registry refuses the credentials "mine".')
  await fixture.open({ driver: { ...host, capabilities: { ...host.capabilities, runsImages: true } } })
  await save(endpointOf('ep-one', { spec: { image: 'registry.example/private:1', registryId: 'r1' } }))
  await store.jobs.submit('ep-one', job('j1'))
  const status = {
    unhealthy: 1,
    reason: 'registry_refused',
    message: expect.stringContaining('The registry refuses the credentials "mine".'),
  }
  await vi.waitFor(async () => expect(await store.status.get('ep-one')).toMatchObject(status), WAIT)
  expect(host.pulledWith).toEqual(['old'])
  await give('new')
  await vi.waitFor(() => expect(host.pulledWith).toEqual(['old', 'new']), WAIT)
})

test('a worker gets the values of its secrets; one that names an unknown secret does not start until it exists', async () => {
  const { store } = fixture
  const secret = { id: 's1', name: 'token', ownerId: 'owner', description: '', createdAt: 1, updatedAt: 1 }
  await fixture.open()
  await save(endpointOf('ep-one', { spec: { env: { A: 'Bearer {{ RUNPOD_SECRET_token }}' } } }))
  await store.jobs.submit('ep-one', job('j1'))
  const status = { unhealthy: 1, reason: 'secret_missing', message: expect.stringContaining('The secret "token"') }
  await vi.waitFor(async () => expect(await store.status.get('ep-one')).toMatchObject(status), WAIT)
  expect(fixture.host.launches).toEqual([])
  await store.resources.secrets.save({
    ...SAVE,
    ownerId: 'other',
    id: undefined,
    edit: () => ({ ...secret, ownerId: 'other', value: 'theirs' }),
  })
  await store.resources.secrets.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => ({ ...secret, value: 'sesame' }) })
  await startedWorker()
  expect(fixture.host.launches[0]?.env).toMatchObject({ A: 'Bearer sesame' })
  const visible = JSON.stringify([await store.events.list('ep-one', 100), await store.endpoints.list(), await workers()])
  expect(visible).not.toContain('sesame')
})

test('an image of the operator’s that stands in for the named one is pulled without the endpoint’s credentials', async () => {
  const { store, host } = fixture
  const registry = { id: 'r1', name: 'mine', ownerId: 'owner', createdAt: 1, updatedAt: 1 }
  const edit = () => ({ ...registry, username: 'me', password: 'x' })
  await store.resources.registries.save({ ...SAVE, ownerId: 'owner', id: undefined, edit })
  host.problem.image = new RunyardError('not_found', 'no such image')
  await fixture.open()
  await save(endpointOf('ep-one', { spec: { registryId: 'r1' } }))
  await store.jobs.submit('ep-one', job('j1'))
  await vi.waitFor(() => expect(host.pulledWith).toEqual([undefined]), WAIT)
})

test('an endpoint that is deleted while its image is pulled breaks the pull off and leaves nothing behind', async () => {
  fixture.host.problem.image = 'endless'
  await fixture.open()
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  const worker = await vi.waitFor(async () => {
    const [found] = await workers()
    expect(await fixture.store.workerLogs.read(found?.id ?? '', 'system', 10)).toContainEqual(expect.objectContaining({ line: 'pulling' }))
    return found
  }, WAIT)
  await fixture.store.endpoints.delete('ep-one')
  await vi.waitFor(async () => expect(await fixture.store.endpoints.listDeleted()).toEqual([]), WAIT)
  expect(fixture.host.launches).toEqual([])
  expect((await fixture.store.workers.getGone(worker?.id ?? ''))?.record.retireReason).toBe('endpoint_deleted')
})

test('a host’s refusal of a start is reported in the status, and the retry waits', async () => {
  fixture.host.problem.start = new RunyardError('unprocessable', 'The host has no room.')
  const scaler = await fixture.open()
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await vi.waitFor(
    async () =>
      expect(await fixture.store.status.get('ep-one')).toMatchObject({
        unhealthy: 1,
        reason: 'backing_off',
        message: expect.stringMatching(/^the next try is due at \d{4}-\S+Z; the last one failed: The host has no room\.$/u),
        nextTryAt: expect.any(Number),
      }),
    WAIT,
  )
  delete fixture.host.problem.start
  for (let round = 0; round < 3; round++) await scaler.loop.tick()
  await vi.waitFor(async () => expect(await workers()).toEqual([]), WAIT)
  expect((await eventKinds()).filter((kind) => kind === 'worker_placed')).toHaveLength(1)
})

test.each([
  ['saved again, as it is', (at: number) => ({ updatedAt: at })],
  ['asked for a new try', (at: number) => ({ retriedAt: at })],
])('an endpoint that is %s is tried at once after failed starts', async (_, change) => {
  fixture.host.problem.start = new RunyardError('unprocessable', 'The host has no room.')
  await fixture.open()
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject({ reason: 'backing_off' }), WAIT)
  delete fixture.host.problem.start
  await save({ ...endpointOf('ep-one'), ...change(Date.now()) })
  await startedWorker()
  expect(fixture.host.launches).toHaveLength(1)
})

test('after a save, an idle worker of an image that was rebuilt under its tag is replaced', async () => {
  fixture.host.problem.imageIds = { 'runyard/worker:latest': 'built-1' }
  await fixture.open()
  const found = endpointOf('ep-one', { settings: { workersMin: 1 } })
  await save(found)
  const first = await startedWorker()
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: first.id, fields: { readyAt: Date.now(), lastSeenAt: Date.now() } })
  fixture.host.problem.imageIds = { 'runyard/worker:latest': 'built-2' }
  await save({ ...found, updatedAt: Date.now() })
  await vi.waitFor(async () => expect((await fixture.store.workers.getGone(first.id))?.record.retireReason).toBe('image_rebuilt'), WAIT)
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(2), WAIT)
})

test('all workers of a release start from the image that its tag had for the first one; a save reads the tag again', async () => {
  fixture.host.problem.imageIds = { 'me/model:latest': 'built-1' }
  const { host } = fixture
  await fixture.open({ driver: { ...host, capabilities: { ...host.capabilities, runsImages: true } } })
  const found = endpointOf('ep-one', { spec: { image: 'me/model:latest' }, settings: { workersMin: 1 } })
  await save(found)
  const first = await startedWorker()
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: first.id, fields: { readyAt: Date.now(), lastSeenAt: Date.now() } })
  fixture.host.problem.imageIds = { 'me/model:latest': 'built-2' }
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: first.id, fields: { lastJobEndedAt: Date.now() } })
  fixture.host.die(first.id, 0)
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(2), WAIT)
  const pinned = await fixture.store.endpoints.get('ep-one')
  await save({ ...(pinned ?? found), updatedAt: Date.now() })
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(3), WAIT)
  expect(fixture.host.launches.map(({ image }) => image)).toEqual(['built-1', 'built-1', 'built-2'])
})

test('after a save, one of two ready workers is replaced, and the other one takes jobs until a new one is ready', async () => {
  await fixture.open()
  const found = endpointOf('ep-one', { settings: { workersMin: 2, workersMax: 2 } })
  await save(found)
  const ready = async (count: number) => {
    await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(count), WAIT)
    for (const { workerId } of fixture.host.launches)
      await fixture.store.workers.patch({ endpointId: 'ep-one', workerId, fields: { readyAt: Date.now(), lastSeenAt: Date.now() } })
  }
  await ready(2)
  const updatedAt = Date.now()
  await save({ ...found, specHash: 'spec-2', version: found.version + 1, updatedAt })
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(3), WAIT)
  const serving = (await fixture.store.workers.list('ep-one')).filter(({ specHash }) => specHash === found.specHash)
  expect(serving).toMatchObject([{ servesThrough: updatedAt }])
  expect(serving[0]).not.toHaveProperty('drainingSince')
  await ready(3)
  await vi.waitFor(() => expect(fixture.host.launches).toHaveLength(4), WAIT)
  expect([...new Set(fixture.host.stops)].toSorted()).toEqual(
    fixture.host.launches
      .slice(0, 2)
      .map(({ workerId }) => workerId)
      .toSorted(),
  )
})

test.each([
  ['says why', '_cuda_check: RuntimeError: no CUDA'],
  ['says nothing', undefined],
])(
  'a worker that finds itself unfit at its start, and %s, is unhealthy with growing pauses, not started again and again',
  async (_how, said) => {
    const scaler = await fixture.open()
    await save(endpointOf('ep-one'))
    await fixture.store.jobs.submit('ep-one', job('j1'))
    const worker = await startedWorker()
    // worker-api §11.2: one ping with the reason from SDK 1.11 on, then exit code 1.
    if (said !== undefined)
      await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: worker.id, fields: { unhealthyReason: said } })
    fixture.host.die(worker.id, 1)
    const status = () => fixture.store.status.get('ep-one')
    const reported = { unhealthy: 1, reason: 'backing_off', message: expect.stringContaining(said ?? 'exit code 1') }
    await vi.waitFor(async () => expect(await status()).toMatchObject(reported), WAIT)
    for (let round = 0; round < 5; round++) await scaler.loop.tick()
    expect((await eventKinds()).filter((kind) => kind === 'worker_placed')).toHaveLength(1)
    expect(await fixture.store.jobs.get('ep-one', 'j1')).toMatchObject({ status: 'IN_QUEUE', retries: 0 })
  },
)

test('a job past its execution timeout fails with the text that clients know, and its worker gets a stop request', async () => {
  const stops: string[] = []
  const listening = fixture.store.subscribe((signal) => {
    if (signal.kind === 'job-stop') stops.push(`${signal.jobId} on ${signal.workerId}`)
  })
  await fixture.open({ policy: { stopGraceMs: 300 } })
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1', { executionTimeoutMs: 5000 }))
  const worker = await readyWorker()
  await fixture.store.jobs.take('ep-one', worker.id)
  await vi.waitFor(
    async () =>
      expect(await fixture.store.jobs.get('ep-one', 'j1')).toMatchObject({ status: 'FAILED', error: 'executionTimeout exceeded' }),
    WAIT,
  )
  await vi.waitFor(() => expect(stops).toEqual([`j1 on ${worker.id}`]), WAIT)
  await listening[Symbol.asyncDispose]()
  // It never takes another job: it is stuck, and goes.
  await vi.waitFor(async () => expect(await workers()).toEqual([]), WAIT)
})

test('a job that waits although a worker is ready is announced again', async () => {
  await fixture.open({ policy: { sweepEveryMs: 100 } })
  await save(endpointOf('ep-one'))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await readyWorker()
  const announced = new Promise<void>((resolve) => {
    fixture.store.subscribe((signal) => {
      if (signal.kind === 'job-added') resolve()
    })
  })
  await announced
  expect(await fixture.store.jobs.stats('ep-one')).toMatchObject({ waiting: 1 })
})

test('purged jobs whose gateway died before it wrote their ends get them, also where the queue is quiet', async () => {
  await fixture.open({ policy: { sweepEveryMs: 100, quietSweepEveryMs: 100 } })
  await save(endpointOf('ep-one'))
  for (let n = 0; n < 5; n += 1) await fixture.store.jobs.submit('ep-one', job(`j${n}`))
  await fixture.store.jobs.purge('ep-one')
  const listed = async () => (await fixture.store.jobs.list('ep-one', { offset: 0, limit: 10 })).jobs.map(({ status }) => status)
  await vi.waitFor(async () => expect(await listed()).toEqual(Array.from({ length: 5 }, () => 'CANCELLED')), WAIT)
})

test('a changed spec replaces the idle worker at once', async () => {
  await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMin: 1 } }))
  const old = await readyWorker()
  await save(endpointOf('ep-one', { settings: { workersMin: 1 }, hash: 'hash-2' }))
  await vi.waitFor(async () => expect((await workers()).map(({ specHash }) => specHash)).toEqual(['hash-2']), WAIT)
  expect(fixture.host.stops).toContain(old.id)
})

test('a deleted endpoint loses its workers and then its keys', async () => {
  await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMin: 2 } }))
  await readyWorker()
  await fixture.store.endpoints.delete('ep-one')
  await vi.waitFor(async () => expect(await fixture.store.endpoints.listDeleted()).toEqual([]), WAIT)
  expect(await workers()).toEqual([])
  expect(fixture.host.observed.size).toBe(0)
})

test('a scaler that is stopped leaves workers running, and the next one goes on with them', async () => {
  const first = await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMin: 1 } }))
  const worker = await readyWorker()
  await first[Symbol.asyncDispose]()
  expect(fixture.host.observed.get(worker.id)?.state).toBe('running')
  const second = await fixture.open()
  await second.loop.tick()
  await second.loop.tick()
  expect((await workers()).map(({ id }) => id)).toEqual([worker.id])
  expect(fixture.host.launches).toHaveLength(1)
})

test('draining for shutdown retires every worker and starts none', async () => {
  const scaler = await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMin: 2 } }))
  await readyWorker()
  await scaler.drainAll()
  expect(await workers()).toEqual([])
  expect(fixture.host.observed.size).toBe(0)
})

test('draining waits for a Redis that is away', async () => {
  const scaler = await fixture.open()
  await save(endpointOf('ep-one', { settings: { workersMin: 1 } }))
  await readyWorker()
  await fixture.redis.kill()
  await vi.waitFor(() => expect(fixture.store.isUp()).toBe(false), { timeout: 20_000 })
  const drained = scaler.drainAll()
  await fixture.redis.restart()
  await drained
  expect(fixture.host.observed.size).toBe(0)
})

test('draining gives up a Redis that stays away, after it said why', async () => {
  const scaler = await fixture.open()
  await fixture.redis.kill()
  await vi.waitFor(() => expect(fixture.store.isUp()).toBe(false), { timeout: 20_000 })
  const now = Date.now
  const clock = vi.spyOn(Date, 'now')
  const sentences: string[] = []
  try {
    const drained = scaler.drainAll((sentence) => sentences.push(sentence))
    clock.mockImplementation(() => now() + 31_000)
    expect(await drained).toBe(false)
  } finally {
    clock.mockRestore()
    await fixture.redis.restart()
  }
  expect(sentences).toHaveLength(1)
})

test('while a host cannot be reached, none of its workers is declared lost or retired', async () => {
  const scaler = await fixture.open({ policy: { settleMs: 1 } })
  await save(endpointOf('ep-one', { settings: { idleTimeoutMs: 1 } }))
  await fixture.store.jobs.submit('ep-one', job('j1'))
  const worker = await startedWorker()
  fixture.host.problem.list = 'the engine is away'
  fixture.host.observed.delete(worker.id)
  fixture.host.die('no-such', 0)
  await makeReady(worker)
  for (let round = 0; round < 5; round++) await scaler.loop.tick()
  expect((await workers()).map(({ id }) => id)).toEqual([worker.id])
})

test('a container of ours that no record knows is removed', async () => {
  fixture.host.observed.set('stray0001', {
    workerId: 'stray0001',
    endpointId: 'ep-gone',
    specHash: 'x',
    state: 'running',
    startedAt: 1,
    exit: undefined,
    gpuUuids: ['GPU-simulated-local-0'],
  })
  await fixture.open()
  await vi.waitFor(() => expect(fixture.host.observed.size).toBe(0), WAIT)
})
