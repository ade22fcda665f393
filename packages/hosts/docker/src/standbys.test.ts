// Standby workers on the real engine. A shell that prints what it reads on stdin stands for the agent.
import { randomBytes } from 'node:crypto'
import type { HostDriver } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import Docker from 'dockerode'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { containerName, LABELS } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { removeAllWorkers } from './installs.ts'
import { ensureDefaultImage } from './testing/default-image.ts'

const socket = '/var/run/docker.sock'
const connection = { kind: 'unix', socket } as const
const docker = new Docker({ socketPath: socket })
const waiting = workerLaunch({ workerId: '', endpointId: '', specHash: '', args: ['sh', '-c', 'read line; echo "got $line"; sleep 1000'] })
let instanceId: string
let driver: HostDriver

beforeAll(ensureDefaultImage, 600_000)
beforeEach(() => {
  instanceId = `standby-${randomBytes(4).toString('hex')}`
  driver = open()
})
afterEach(async () => {
  await driver[Symbol.asyncDispose]()
  await removeAllWorkers(openEngine(connection), instanceId)
})

const open = () => createDockerHost({ label: 'here', connection, instanceId })
const keep = (count: number, launch = waiting) => driver.keepReady?.({ networks: 0, standby: { count, launch } })
const ready = (count: number) => vi.waitFor(() => expect(driver.standbyCount?.()).toBe(count), { timeout: 30_000 })
const all = () => docker.listContainers({ all: true, filters: { label: [`${LABELS.instance}=${instanceId}`] } })
const take = (limits = {}) => driver.takeStandby?.({ diskBytes: undefined, cpus: undefined, memoryBytes: undefined, ...limits }) ?? 'none'

describe('a standby worker', { timeout: 60_000 }, () => {
  it('is listed as no worker, becomes the one that takes its id, with its environment and limits, and is replaced', async () => {
    keep(1)
    await ready(1)
    expect(await driver.listWorkers()).toEqual([])
    const limits = { cpus: 0.5, memoryBytes: 256 * 2 ** 20 }
    const workerId = take(limits)
    expect(take(limits)).toBe('none')
    const [before] = await all()
    await driver.startWorker({ ...waiting, workerId, env: { TOKEN: 'own' }, ...limits, pidsLimit: 77 })
    expect(await driver.listWorkers()).toMatchObject([{ workerId, state: 'running' }])
    const info = await docker.getContainer(containerName(instanceId, workerId)).inspect()
    expect(info.Id).toBe(before?.Id)
    expect(info.HostConfig).toMatchObject({ Memory: 256 * 2 ** 20, MemorySwap: 256 * 2 ** 20, NanoCpus: 5e8, PidsLimit: 77 })
    await vi.waitFor(async () => {
      const [line] = await driver.tailLogs(workerId, 5)
      expect(line?.line).toBe('got {"env":{"TOKEN":"own","NVIDIA_VISIBLE_DEVICES":"void"}}')
    }, 20_000)
    await ready(1)
    const next = take({ cpus: 1, memoryBytes: 512 * 2 ** 20 })
    expect(next).not.toBe(workerId)
    const prepared = await docker.getContainer(containerName(instanceId, next)).inspect()
    expect(prepared.HostConfig).toMatchObject({ Memory: 256 * 2 ** 20, NanoCpus: 5e8, ShmSize: info.HostConfig.ShmSize })
    // No engine lifts a limit, so this one is replaced by one without.
    await driver.listWorkers()
    await ready(1)
    expect(take()).toBe('none')
    await driver.listWorkers()
    await ready(1)
    expect(take()).not.toBe('none')
  })

  it('that ended before it took anything is replaced by a worker with the same id', async () => {
    keep(1)
    await ready(1)
    const workerId = take()
    await docker.getContainer(containerName(instanceId, workerId)).kill()
    await driver.startWorker({ ...waiting, workerId })
    expect(await driver.listWorkers()).toMatchObject([{ workerId, state: 'running' }])
  })

  it('takes on what an earlier scaler began to start', async () => {
    keep(1)
    await ready(1)
    const workerId = take()
    await using next = open()
    await next.startWorker({ ...waiting, workerId, env: { TOKEN: 'own' } })
    await vi.waitFor(async () => expect((await next.tailLogs(workerId, 5))[0]?.line).toContain('"TOKEN":"own"'), 20_000)
  })

  it('of a killed scaler is listed by the next one, which finds no record of it and removes it', async () => {
    keep(1)
    await ready(1)
    await using next = open()
    const [left] = await next.listWorkers()
    expect(left).toMatchObject({ state: 'running', endpointId: '', specHash: '' })
    await next.removeWorker(left?.workerId ?? '')
    expect(await all()).toEqual([])
  })

  it('is replaced when another one is wanted, and goes when none is, or the driver is closed', async () => {
    keep(1)
    await ready(1)
    const [first] = await all()
    keep(1, { ...waiting, env: { RUNYARD_PRELOAD: 'json' } })
    await vi.waitFor(async () => expect((await all()).map(({ Id }) => Id)).not.toContain(first?.Id), 20_000)
    await ready(1)
    driver.keepReady?.(undefined)
    await vi.waitFor(async () => expect(await all()).toEqual([]), 20_000)
    keep(2)
    await ready(2)
    await driver[Symbol.asyncDispose]()
    expect(await all()).toEqual([])
  })
})
