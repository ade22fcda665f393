// Standby workers of the process host. A shell that prints what it reads on stdin stands for the agent.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostDriver } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProcessHost } from './process-host.ts'

const WAIT = { timeout: 20_000, interval: 10 }
const WAITS = 'read line || exit 0; echo "got $line"; read limits; echo "then $limits"; exec sleep 1000'
const waiting = workerLaunch({ withAgent: true, workerId: '', endpointId: '', specHash: '', env: { RUNYARD_TEST_SCRIPT: WAITS } })
let scratchDir: string
let driver: HostDriver

const open = () =>
  createProcessHost({
    label: 'here',
    hostId: 'process:here',
    instanceId: 'one',
    scratchDir,
    agentCommand: ['sh', '-c', 'eval "$RUNYARD_TEST_SCRIPT"'],
    quietMs: 0,
  })
beforeEach(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'runyard-standby-'))
  driver = open()
})
afterEach(async () => {
  await driver.removeAll()
  await driver[Symbol.asyncDispose]()
  await rm(scratchDir, { recursive: true, force: true })
})

const anew = { ...waiting, endpointId: 'ep', env: { RUNYARD_TEST_SCRIPT: 'exec sleep 1000' } }
const keep = (count: number, launch = waiting) => driver.keepReady?.({ networks: 0, standby: { count, launch } })
const ready = (count: number) => vi.waitFor(() => expect(driver.standbyCount?.()).toBe(count), WAIT)
const take = () => driver.takeStandby?.({ diskBytes: undefined, cpus: undefined, memoryBytes: undefined }) ?? 'none'
const pidOf = async (id: string) => (JSON.parse(await readFile(join(scratchDir, id, 'worker.json'), 'utf8')) as { pid: number }).pid
const lines = async (id: string) => (await driver.tailLogs(id, 5)).map(({ line }) => line)

describe('a standby worker', { timeout: 60_000 }, () => {
  it('is listed as no worker, becomes the one that takes its id, with its environment and cards, and is replaced', async () => {
    keep(1)
    await ready(1)
    expect(await driver.listWorkers()).toEqual([])
    const workerId = take()
    const pid = await pidOf(workerId)
    const gpus = [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false }]
    await driver.startWorker({ ...waiting, workerId, endpointId: 'ep', specHash: 'hash', env: { TOKEN: 'own' }, gpus })
    expect(await driver.listWorkers()).toMatchObject([
      { workerId, endpointId: 'ep', specHash: 'hash', state: 'running', gpuUuids: ['GPU-1'] },
    ])
    expect(await pidOf(workerId)).toBe(pid)
    await vi.waitFor(async () => expect(await lines(workerId)).toEqual([expect.any(String), 'then {"limited":true}']), WAIT)
    const [got = ''] = await lines(workerId)
    const { env } = JSON.parse(got.slice('got '.length)) as { env: Record<string, string> }
    expect(env).toMatchObject({ TOKEN: 'own', CUDA_VISIBLE_DEVICES: 'GPU-1', NVIDIA_VISIBLE_DEVICES: 'GPU-1' })
    await ready(1)
    expect(take()).not.toBe(workerId)
    await driver.stopWorker(workerId, { graceMs: 0 })
    expect(await driver.listWorkers()).toContainEqual(expect.objectContaining({ workerId, endpointId: 'ep', state: 'exited' }))
  })

  it('that ended before it took anything is replaced by a worker with the same id', async () => {
    keep(1)
    await ready(1)
    const workerId = take()
    process.kill(await pidOf(workerId), 'SIGKILL')
    await vi.waitFor(async () => expect(await driver.listWorkers()).toMatchObject([{ workerId, state: 'exited' }]), WAIT)
    await driver.startWorker({ ...anew, workerId })
    expect(await driver.listWorkers()).toMatchObject([{ workerId, endpointId: 'ep', state: 'running' }])
  })

  it('that dies while it waits is replaced, and leaves nothing', async () => {
    keep(1)
    await ready(1)
    const [first = ''] = await readdir(scratchDir)
    process.kill(await pidOf(first), 'SIGKILL')
    await ready(0)
    keep(1)
    await ready(1)
    await vi.waitFor(async () => expect(await readdir(scratchDir)).not.toContain(first), WAIT)
  })

  it('that an earlier scaler gave away is started anew by the next one', async () => {
    keep(1)
    await ready(1)
    const workerId = take()
    await using next = open()
    await next.startWorker({ ...anew, workerId })
    expect(await next.listWorkers()).toContainEqual(expect.objectContaining({ workerId, endpointId: 'ep', state: 'running' }))
  })

  it('of a killed scaler is listed by the next one, which finds no record of it and removes it', async () => {
    keep(1)
    await ready(1)
    await using next = open()
    const [left] = await next.listWorkers()
    expect(left).toMatchObject({ endpointId: '', specHash: '' })
    await next.removeWorker(left?.workerId ?? '')
    expect(await next.listWorkers()).toEqual([])
  })

  it('goes when none is wanted, or another one, or the driver is closed', async () => {
    keep(1)
    await ready(1)
    const [first = ''] = await readdir(scratchDir)
    keep(1, { ...waiting, env: { ...waiting.env, RUNYARD_PRELOAD: 'json' } })
    await vi.waitFor(async () => expect(await readdir(scratchDir)).not.toContain(first), WAIT)
    await ready(1)
    driver.keepReady?.(undefined)
    await vi.waitFor(async () => expect(await readdir(scratchDir)).toEqual([]), WAIT)
    keep(2)
    await ready(2)
    await driver[Symbol.asyncDispose]()
    expect(await readdir(scratchDir)).toEqual([])
  })
})
