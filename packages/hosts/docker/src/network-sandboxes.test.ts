// Network sandboxes on the real engine. What a worker reaches from inside one is in `worker-network.test.ts`.
import { randomBytes } from 'node:crypto'
import type { HostDriver } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import Docker from 'dockerode'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { containerName, LABELS, sandboxOf } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { listInstalls, removeAllWorkers } from './installs.ts'
import { createNetworkSandboxes } from './network-sandboxes.ts'
import { ensureDefaultImage } from './testing/default-image.ts'
import { readySandboxes } from './testing/ready-sandboxes.ts'
import { ensureWorkerNetwork, WORKER_NETWORK } from './worker-network.ts'

const socket = '/var/run/docker.sock'
const connection = { kind: 'unix', socket } as const
const engine = openEngine(connection)
const docker = new Docker({ socketPath: socket })
let instanceId: string
let driver: HostDriver
let warnings: string[]

beforeAll(ensureDefaultImage, 600_000)
beforeEach(() => {
  instanceId = `sandboxes-${randomBytes(4).toString('hex')}`
  warnings = []
  driver = open()
})
afterEach(async () => {
  await driver[Symbol.asyncDispose]()
  await removeAllWorkers(engine, instanceId)
})

const open = () => createDockerHost({ label: 'here', connection, instanceId, log: { warn: (message) => void warnings.push(message) } })
const ready = (count: number) => readySandboxes(docker, instanceId, count)
const forever = (workerId: string) => workerLaunch({ workerId, args: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'] })
const all = () => docker.listContainers({ all: true, filters: { label: [`${LABELS.instance}=${instanceId}`] } })

async function networkOf(workerId: string): Promise<string | undefined> {
  const { HostConfig } = await docker.getContainer(containerName(instanceId, workerId)).inspect()
  return sandboxOf(HostConfig)
}

async function prepared(count: number): Promise<readonly string[]> {
  driver.keepReady?.({ networks: count })
  return ready(count)
}

describe('a network sandbox', { timeout: 60_000 }, () => {
  it('is given to one worker, replaced, and removed with its worker', async () => {
    const [first] = await prepared(1)
    await driver.startWorker(forever('worker1'))
    expect(await networkOf('worker1')).toBe(first)
    const [second] = await ready(1)
    await driver.startWorker(forever('worker2'))
    expect([await networkOf('worker2'), second === first]).toEqual([second, false])
    await ready(1)
    await driver.removeWorker('worker1')
    expect((await all()).some(({ Id }) => Id === first)).toBe(false)
    expect(await driver.listWorkers()).toMatchObject([{ workerId: 'worker2', state: 'running' }])
  })

  it('may do nothing, and takes little', async () => {
    const [id = ''] = await prepared(1)
    const { Config, HostConfig } = await docker.getContainer(id).inspect()
    expect(Config.User).toBe('65534:65534')
    expect(HostConfig).toMatchObject({
      NetworkMode: WORKER_NETWORK,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      Memory: 32 * 2 ** 20,
      PidsLimit: 32,
      Privileged: false,
    })
  })

  it('is no worker: neither listed nor counted', async () => {
    await prepared(2)
    expect(await driver.listWorkers()).toEqual([])
    expect((await listInstalls(engine)).filter((install) => install.instanceId === instanceId)).toEqual([])
  })

  it('is not needed: workers beyond those that are ready, and those of another runtime, are attached to the network', async () => {
    await prepared(1)
    await Promise.all(['worker1', 'worker2', 'worker3'].map((id) => driver.startWorker(forever(id))))
    const networks = await Promise.all(['worker1', 'worker2', 'worker3'].map(networkOf))
    expect(networks.filter((network) => network !== undefined)).toHaveLength(1)
    await ready(1)
    await driver.startWorker({ ...forever('worker4'), runtime: 'runc' })
    expect(await networkOf('worker4')).toBeUndefined()
  })

  it('that somebody removed costs no start', async () => {
    const [id = ''] = await prepared(1)
    await docker.getContainer(id).remove({ force: true })
    await driver.startWorker(forever('worker1'))
    expect(await networkOf('worker1')).toBeUndefined()
    expect(await driver.listWorkers()).toMatchObject([{ workerId: 'worker1', state: 'running' }])
  })

  it('that ends takes its worker with it, which would have no network', async () => {
    const [id = ''] = await prepared(1)
    await driver.startWorker(forever('worker1'))
    await docker.getContainer(id).kill()
    await vi.waitFor(async () => expect(await driver.listWorkers()).toMatchObject([{ state: 'exited', exit: { exitCode: 137 } }]), 20_000)
    expect(warnings).toEqual(['host here: worker worker1 is ended: its network sandbox does not run any more, so it has no network'])
  })

  it('goes when none is wanted, and when the driver is closed', async () => {
    await prepared(2)
    driver.keepReady?.({ networks: 1 })
    await ready(1)
    await driver.startWorker(forever('worker1'))
    await ready(1)
    await driver[Symbol.asyncDispose]()
    await ready(0)
    expect(await all()).toHaveLength(2)
  })

  it('of a scaler that was killed is removed by the next one that leads, and never by one that does not', async () => {
    const killed = createNetworkSandboxes(docker, { instanceId, network: () => ensureWorkerNetwork(docker) })
    killed.keep(2)
    const left = await ready(2)
    await driver.listWorkers()
    expect(await ready(2)).toEqual(left)
    driver.keepReady?.({ networks: 1 })
    await driver.listWorkers()
    const [own] = await ready(1)
    expect(left).not.toContain(own)
  })

  it('of a scaler that does not lead any more is not pulled from under a worker', async () => {
    await prepared(1)
    await driver.startWorker(forever('worker1'))
    driver.keepReady?.(undefined)
    await using next = open()
    next.keepReady?.({ networks: 0 })
    await next.listWorkers()
    await ready(0)
    expect(await next.listWorkers()).toMatchObject([{ workerId: 'worker1', state: 'running' }])
    await next.removeWorker('worker1')
    expect(await all()).toEqual([])
  })

  it('that cannot be made is reported once, and workers start without', async () => {
    const said: string[] = []
    await using sandboxes = createNetworkSandboxes(docker, {
      instanceId,
      network: () => Promise.reject(new Error('no network here')),
      log: { warn: (message) => void said.push(message) },
    })
    sandboxes.keep(1)
    await vi.waitFor(() => expect(said).toHaveLength(1))
    sandboxes.note([], Date.now())
    expect(await sandboxes.during(true, async (sandbox) => sandbox ?? 'none')).toBe('none')
    expect(said).toEqual(['no network can be prepared for the next worker: no network here'])
  })
})
