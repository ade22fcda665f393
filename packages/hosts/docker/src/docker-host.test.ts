import { createHash, randomBytes } from 'node:crypto'
import { describeBuildConformance, describeHostConformance, workerLaunch, type HostFixture } from '@runyard/testing'
import type { WorkerLaunch } from '@runyard/schema'
import Docker from 'dockerode'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { containerName, LABELS } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { listInstalls, probeEngine, removeAllWorkers } from './installs.ts'
import { WORKER_IMAGE } from './images.ts'
import { DOCKERFILE, ensureDefaultImage } from './testing/default-image.ts'
import { ensureWorkerImage } from './worker-image.ts'

const socket = '/var/run/docker.sock'
const engine = openEngine({ kind: 'unix', socket })
const docker = new Docker({ socketPath: socket })

function createFixture(): HostFixture {
  const instanceId = `conformance-${randomBytes(4).toString('hex')}`
  const create = (instance: string) =>
    createDockerHost({ label: 'docker-under-test', connection: { kind: 'unix', socket }, instanceId: instance })
  return {
    createDriver: () => create(instanceId),
    createStranger: () => create(`${instanceId}-other`),
    launch: (base, script) => ({ ...base, args: ['sh', '-c', script] }),
    kill: async (workerId) => {
      await docker.getContainer(containerName(instanceId, workerId)).kill({ signal: 'SIGKILL' })
    },
    leftovers: async () => {
      const containers = await docker.listContainers({ all: true, filters: { label: [`runyard=${instanceId}`] } })
      return containers.flatMap((container) => container.Names)
    },
    async [Symbol.asyncDispose]() {},
  }
}

beforeAll(ensureDefaultImage, 600_000)

describeHostConformance('a Docker Engine', async () => createFixture(), {
  capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true, mountsVolumes: true },
  gpus: false,
})

describeBuildConformance('a Docker Engine', async () => createFixture())

describe('a worker container', () => {
  const instanceId = `worker-container-${randomBytes(4).toString('hex')}`
  const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId })

  afterEach(async () => {
    await removeAllWorkers(engine, instanceId)
  })

  it('goes with all others of its install, living or not', async () => {
    await driver.startWorker({ ...launch, args: ['sleep', '1000'] })
    await driver.startWorker({ ...launch, workerId: 'worker002', args: ['true'] })
    expect(await removeAllWorkers(engine, instanceId)).toBe(2)
    expect(await docker.listContainers({ all: true, filters: { label: [`runyard=${instanceId}`] } })).toEqual([])
  })

  it('does not start with a runtime that the engine does not have, and says which', async () => {
    await expect(driver.startWorker({ ...launch, runtime: 'no-such-runtime' })).rejects.toMatchObject({
      fault: 'request',
      message: expect.stringContaining('does not have the runtime no-such-runtime: install it') as string,
    })
    expect(await driver.listWorkers()).toEqual([])
  })

  it('is on a host that is named by its engine, whatever the operator calls it', async () => {
    const { ID } = (await docker.info()) as { ID: string }
    expect(await driver.identify()).toBe(`docker:${ID}`)
    expect(await createDockerHost({ label: 'another', connection: { kind: 'unix', socket }, instanceId: 'another' }).identify()).toBe(
      `docker:${ID}`,
    )
  })

  it('holds its real cards against other installs while it runs, and is listed as that install’s', async () => {
    const uuid = `GPU-${randomBytes(8).toString('hex')}`
    const other = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId: `${instanceId}-other` })
    const gpus = [uuid, 'GPU-simulated-here-0'].join(',')
    const labels = { [LABELS.instance]: instanceId, [LABELS.worker]: launch.workerId, [LABELS.gpus]: gpus }
    const container = await docker.createContainer({ Image: WORKER_IMAGE, Cmd: ['sleep', '1000'], Labels: labels })
    const listed = async () => (await listInstalls(engine)).filter((install) => install.instanceId === instanceId)
    expect(await other.cardsOfOthers()).not.toContain(uuid)
    expect(await listed()).toMatchObject([{ instanceId, workers: 1, cards: [] }])
    await container.start()
    expect(await other.cardsOfOthers()).toContain(uuid)
    expect((await other.cardsOfOthers()).filter((card) => card.startsWith('GPU-simulated'))).toEqual([])
    expect(await driver.cardsOfOthers()).not.toContain(uuid)
    expect(await listed()).toMatchObject([
      { instanceId, workers: 1, cards: [uuid], removal: expect.stringContaining(`label=runyard=${instanceId}`) as string },
    ])
  })

  /** What a script prints when it is the worker. */
  async function outputOf(script: string, overrides: Partial<WorkerLaunch> = {}): Promise<readonly string[]> {
    const lines: string[] = []
    await driver.startWorker({ ...launch, args: ['sh', '-c', script], ...overrides })
    await driver.followLogs(launch.workerId, { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
    return lines
  }

  it('shares a cache with the other workers of its owner, which goes with the installation', async () => {
    const cache = { id: 'owner1', maxBytes: 1 }
    expect(await outputOf('mkdir -p "$UV_CACHE_DIR" && echo kept > "$UV_CACHE_DIR/x"', { cache })).toEqual([])
    await driver.removeWorker(launch.workerId)
    expect(await outputOf('cat "$UV_CACHE_DIR/x"', { cache })).toEqual(['kept'])
    await removeAllWorkers(engine, instanceId)
    expect((await docker.listVolumes({ filters: { label: [`runyard=${instanceId}`] } })).Volumes ?? []).toEqual([])
  })

  it('has the archive of its app where its image looks for it, which leaves the host with the build', async () => {
    const archive = randomBytes(1000)
    async function* bytes() {
      yield archive
    }
    const placement = { id: 'b1', sizeBytes: archive.length, isPacked: true, open: async () => bytes(), onProgress: () => undefined }
    await driver.placeBuild?.(placement)
    const script = 'sha256sum < /root/.runpod/artifact.tar.gz; touch /root/.runpod/x 2>/dev/null; echo $? $RUNPOD_PREBUILT_APP_DIR'
    const lines = await outputOf(script, { build: { id: 'b1', pythonVersion: null, isPacked: true } })
    expect(lines).toEqual([`${createHash('sha256').update(archive).digest('hex')}  -`, '1'])
    expect([await driver.builds?.(), await driver.removeBuild?.('b1')]).toEqual([['b1'], false])
    await driver.removeWorker(launch.workerId)
    expect([await driver.removeBuild?.('b1'), await driver.builds?.()]).toEqual([true, []])
  })

  it('keeps eight capabilities and can gain no privilege', async () => {
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10
    const bits = [0, 1, 3, 4, 5, 6, 7, 10].reduce((mask, bit) => mask | (1 << bit), 0)
    const lines = await outputOf('grep -E "CapBnd|NoNewPrivs" /proc/self/status')
    expect(lines).toEqual([`CapBnd:\t${bits.toString(16).padStart(16, '0')}`, 'NoNewPrivs:\t1'])
  })

  it('can install system packages and Python packages', async () => {
    const caBundle = process.env.SSL_CERT_FILE
    const env = caBundle === undefined ? {} : { PIP_CERT: caBundle, SSL_CERT_FILE: caBundle }
    const install =
      '(apt-get update && apt-get install -y --no-install-recommends hello && pip install --no-cache-dir tomli) >/tmp/log 2>&1'
    const lines = await outputOf(`${install} || tail -20 /tmp/log; hello; python3 -c "import tomli; print('tomli')"`, { env, caBundle })
    expect(lines).toEqual(['Hello, world!', 'tomli'])
  }, 300_000)

  // worker-api §17.18: nothing restarts it.
  it('has the limits that it was given', async () => {
    const limits = { memoryBytes: 256 * 2 ** 20, cpus: 0.5, pidsLimit: 77 }
    await outputOf('true', limits)
    const { HostConfig } = await docker.getContainer(containerName(instanceId, launch.workerId)).inspect()
    expect(HostConfig).toMatchObject({
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      ShmSize: limits.memoryBytes / 2,
      NanoCpus: 5e8,
      PidsLimit: 77,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '2' } },
    })
  })

  it('names the image that is missing, and leaves no container behind', async () => {
    await expect(driver.startWorker({ ...launch, image: 'runyard/none:1' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'Docker cannot start worker worker001: No such image: runyard/none:1.',
    })
  })

  it('starts nothing under a runtime that the engine does not have', async () => {
    await expect(driver.startWorker({ ...launch, runtime: 'no-such-runtime' })).rejects.toThrow('no-such-runtime')
    expect(await driver.listWorkers()).toEqual([])
  })

  it('says that an image’s command does not exist', async () => {
    await expect(driver.startWorker({ ...launch, args: ['no-such-program'] })).rejects.toThrow('no command that this host can run')
    expect(await driver.listWorkers()).toEqual([])
  })
})

describe('a Docker host', () => {
  const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId: 'nothing-runs' })

  it('does not build the worker image again while its recipe is the same', async () => {
    expect(await ensureWorkerImage({ engine, dockerfile: DOCKERFILE, onProgress: () => undefined })).toEqual({
      image: WORKER_IMAGE,
      built: false,
    })
  })

  it('knows which images are there', async () => {
    expect(await driver.hasImage(WORKER_IMAGE)).toBe(true)
    expect(await driver.hasImage('runyard/none:1')).toBe(false)
    expect(await driver.imageId(WORKER_IMAGE)).toMatch(/^sha256:/u)
    expect(await driver.imageId('runyard/none:1')).toBeUndefined()
  })

  it('says in one sentence that an image cannot be had', async () => {
    const pull = driver.pullImage('127.0.0.1:1/none', { onProgress: () => undefined, signal: new AbortController().signal })
    await expect(pull).rejects.toMatchObject({ code: 'not_found' })
    await expect(pull).rejects.toThrow(/^The image 127.0.0.1:1\/none is not on this host and cannot be pulled: .*\.$/)
  })

  it('is unreachable, which is not the same as empty, where no engine answers', async () => {
    const absent = '/nonexistent/docker.sock'
    const away = createDockerHost({ label: 'away', connection: { kind: 'unix', socket: absent }, instanceId: 'x' })
    const sentence = 'No Docker engine answers on /nonexistent/docker.sock'
    await expect(away.listWorkers()).rejects.toThrow(sentence)
    await expect(away.inventory()).rejects.toThrow(sentence)
    expect(await probeEngine(openEngine({ kind: 'unix', socket: absent }))).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(sentence) as string,
    })
    const watch = away.watch(() => undefined)
    await watch[Symbol.asyncDispose]()
  })
})

const launch = workerLaunch({ endpointId: 'containers', image: WORKER_IMAGE, pidsLimit: 512 })
