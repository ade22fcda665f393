// Workers of deployed apps (ADR 65): which build they run, when they wait, and when a build leaves its host.
import { activateBuild } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { toJson, type Build, type Endpoint, type Environment, type WorkerRecord } from '@runyard/schema'
import { beforeEach, expect, vi } from 'vitest'
import { removeUnused } from './build-keeper.ts'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }
const SAVE = { ownerId: 'owner', id: undefined, now: 1, randomText: () => 'x', sha256: (text: string) => text }
const TAG = { flashEnvironmentId: 'env-1' }

beforeEach(async () => {
  const { apps, environments } = fixture.store.resources
  await apps.save({ ...SAVE, edit: () => ({ id: 'app-1', name: 'shop', ownerId: 'owner', createdAt: 1 }) })
  const environment: Environment = { id: 'env-1', ownerId: 'owner', appId: 'app-1', name: 'prod', activeBuildId: null, createdAt: 1 }
  await environments.save({ ...SAVE, edit: () => environment })
})

/** Uploads, registers and activates a build. */
async function deploy(id: string, change: Partial<Build> = {}, manifest: object = {}): Promise<void> {
  const { store } = fixture
  async function* bytes() {
    yield Buffer.from(`archive of ${id}`)
  }
  const { id: artifactId } = await store.artifacts.write(bytes(), { maxBytes: 1000 })
  const build: Build = {
    id,
    ownerId: 'owner',
    appId: 'app-1',
    artifactId,
    objectKey: id,
    kind: 'flash',
    pythonVersion: '3.12',
    sizeBytes: 10,
    sha256: 'f'.repeat(64),
    createdAt: 1,
    ...change,
  }
  await store.resources.builds.save({ ...SAVE, edit: () => build, manifest: JSON.stringify(manifest) })
  const edit = (current: Environment | undefined) => activateBuild(current ?? ({} as Environment), build, 2)
  await store.resources.environments.save({ ...SAVE, id: 'env-1', edit })
}

async function save(change: Partial<Endpoint> = {}, env: Record<string, string> = { FLASH_RESOURCE_NAME: 'fn' }): Promise<void> {
  const endpoint = { ...endpointOf('ep-one', { spec: { env }, hash: `hash of ${JSON.stringify(env)}` }), ...TAG, ...change }
  await fixture.store.endpoints.upsert({ id: endpoint.id }, (current) => ({
    ...endpoint,
    version: (current?.version ?? 0) + 1,
    createdAt: current?.createdAt ?? endpoint.createdAt,
  }))
}

const submit = (id: string): Promise<unknown> =>
  fixture.store.jobs.submit('ep-one', { id, input: toJson({}), sync: false, policy: {}, keyId: 'key' })

async function started(count = 1): Promise<readonly WorkerRecord[]> {
  return vi.waitFor(async () => {
    const workers = await fixture.store.workers.list('ep-one')
    const running = workers.filter(({ containerStartedAt }) => containerStartedAt !== undefined)
    if (running.length < count) throw new Error('not all workers were started yet')
    return running
  }, WAIT)
}

test('a worker runs the build that its environment has active, which is placed on the host first', async () => {
  await deploy('b1')
  await fixture.open()
  await save()
  await submit('j1')
  const [worker] = await started()
  expect(worker?.buildId).toBe('b1')
  expect([...fixture.host.placed]).toEqual([['b1', 'archive of b1']])
  const [launch] = fixture.host.launches
  expect(launch).toMatchObject({ build: { id: 'b1', pythonVersion: '3.12' }, env: { RUNYARD_ENVELOPE: 'deployed-flash' } })
})

test('a build of the SDK 2.0 has its own envelope', async () => {
  await deploy('b1', { kind: 'sdk2' })
  await fixture.open()
  await save()
  await submit('j1')
  await started()
  expect(fixture.host.launches[0]?.env['RUNYARD_ENVELOPE']).toBe('deployed-sdk2')
})

test('no worker starts before the first deploy, and the reason says so; the deploy starts it', async () => {
  await fixture.open()
  await save()
  await submit('j1')
  const status = { throttled: 1, reason: 'not_deployed', message: 'nothing was deployed to the environment "prod" yet' }
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject(status), WAIT)
  expect(fixture.host.launches).toEqual([])
  await deploy('b1')
  await started()
})

test('another active build replaces no worker; the endpoint’s next save does, and its new workers run the new build', async () => {
  await deploy('b1')
  await fixture.open()
  await save()
  await submit('j1')
  const [first] = await started()
  await fixture.store.workers.patch({
    endpointId: 'ep-one',
    workerId: first?.id ?? '',
    fields: { readyAt: Date.now(), lastSeenAt: Date.now() },
  })
  await deploy('b2')
  const scaler = await fixture.open()
  await scaler.loop.tick()
  expect((await fixture.store.workers.list('ep-one')).map(({ id, drainingSince }) => [id, drainingSince])).toEqual([[first?.id, undefined]])
  await save({ updatedAt: Date.now() }, { FLASH_RESOURCE_NAME: 'fn', _FLASH_SOURCE_FINGERPRINT: 'new' })
  await vi.waitFor(() => expect(fixture.host.launches.map(({ build }) => build?.id)).toEqual(['b1', 'b2']), WAIT)
})

test('settings of the manifest that the client does not send are followed', async () => {
  const template = { containerDiskInGb: 99, dockerArgs: 'x', startScript: '' }
  await deploy('b1', {}, { version: '1.0', resources: { fn: { max_concurrency: 5, template } } })
  await fixture.open()
  await save({ spec: { ...endpointOf('x').spec, diskGb: 64, env: { FLASH_RESOURCE_NAME: 'fn' } } })
  await submit('j1')
  const [worker] = await started()
  expect(fixture.host.launches[0]).toMatchObject({ env: { RUNPOD_MAX_CONCURRENCY: '5' }, diskBytes: 99 * 2 ** 30 })
  await vi.waitFor(async () => expect((await fixture.store.workers.list('ep-one'))[0]).toMatchObject({ jobsAtOnce: 5 }), WAIT)
  const lines = (await fixture.store.workerLogs.read(worker?.id ?? '', 'system', 10)).map(({ line }) => line)
  expect(lines).toContain("the manifest's dockerArgs is not followed: a worker of this image runs our agent")
})

test('a worker does not start on an image with another Python than the app’s, and the reason names both', async () => {
  await deploy('b1')
  fixture.host.problem.python = '3.11'
  await fixture.open()
  await save()
  await submit('j1')
  const message = expect.stringContaining(
    'The app was built for Python 3.12, and the image runyard/worker:latest has Python 3.11: deploy with --python-version 3.11',
  )
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject({ reason: 'no_python', message }), WAIT)
  expect(fixture.host.launches).toEqual([])
})

test('an image with a handler of its own needs no build, whatever Flash sets for it', async () => {
  await fixture.open()
  await save({ spec: { ...endpointOf('x').spec, gpu: null, image: 'mine/handler:1', env: { FLASH_RESOURCE_NAME: 'fn' } } })
  await submit('j1')
  const status = { reason: 'no_container_host' }
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject(status), WAIT)
})

test('an image that may unpack its app itself gets the archive of the active build, without our agent', async () => {
  await deploy('b1')
  const { host } = fixture
  await fixture.open({
    driver: { ...host, kind: 'docker', capabilities: { ...host.capabilities, runsImages: true }, hasImage: async () => true },
  })
  const env = { FLASH_RESOURCE_NAME: 'fn' }
  await save({ spec: { ...endpointOf('x').spec, gpu: null, image: 'mine/unpacks:1', env } })
  await submit('j1')
  const [worker] = await started()
  expect(worker?.buildId).toBe('b1')
  expect([...host.placed]).toEqual([['b1 packed', 'archive of b1']])
  const [launch] = host.launches
  expect(launch?.build).toMatchObject({ id: 'b1', isPacked: true })
  expect(launch).toMatchObject({ image: 'mine/unpacks:1', env })
  expect(Object.keys(launch?.env ?? {})).not.toContain('RUNYARD_ENVELOPE')
})

test('a build leaves its host when no environment has it active and no worker runs it', async () => {
  const { store, host } = fixture
  const keeper = {
    store,
    hosts: { list: () => [] } as never,
    builds: { forget: () => undefined },
    log: createLogger({ name: 'test', level: 'silent' }),
  }
  await deploy('b1')
  await fixture.open()
  await save()
  await submit('j1')
  const [worker] = await started()
  host.placed.set('gone', 'of an app that was deleted')
  await deploy('b2')
  await removeUnused(keeper, { driver: host })
  expect([...host.placed.keys()]).toEqual(['b1', 'gone'])
  host.die(worker?.id ?? '', 0)
  await vi.waitFor(async () => expect((await store.workers.list('ep-one')).map(({ buildId }) => buildId)).not.toContain('b1'), WAIT)
  await vi.waitFor(() => expect(host.launches.map(({ build }) => build?.id)).toEqual(['b1', 'b2']), WAIT)
  for (const { workerId } of host.launches) host.observed.delete(workerId)
  await removeUnused(keeper, { driver: host })
  expect([...host.placed.keys()]).toEqual(['b2'])
})
