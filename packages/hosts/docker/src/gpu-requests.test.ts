import { spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WorkerLaunch } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDockerHost } from './docker-host.ts'
import { importShell, startEngine, suiteOnOwnEngine } from './testing/gpu-engine-fixture.ts'
import { WORKER_IMAGE } from './images.ts'

const IMAGE = 'runyard/shell:latest'
const CARDS = ['GPU-2b1f6b9e-0c53-4f0e-9d43-5a7d8c1e4f10', 'GPU-7d9c2e31-84ab-4b7c-a1f2-3c6e9b0d5a28']

suiteOnOwnEngine('GPUs on an engine with an NVIDIA runtime', () => {
  let dir = ''
  let engine: ChildProcess
  let socket = ''

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'runyard-engine-'))
    socket = join(dir, 'docker.sock')
    engine = await startEngine(dir, socket)
    await importShell(new Docker({ socketPath: socket }), dir)
  })

  afterAll(async () => {
    engine.kill('SIGTERM')
    await new Promise((resolve) => engine.once('exit', resolve))
    await rm(dir, { recursive: true, force: true })
  })

  async function visibleCards(workerId: string, overrides: Partial<WorkerLaunch>): Promise<string | undefined> {
    const driver = createDockerHost({ label: 'gpu-box', connection: { kind: 'unix', socket }, instanceId: 'gpu-test' })
    const script = 'echo "$NVIDIA_VISIBLE_DEVICES"'
    await driver.startWorker({ ...baseLaunch, workerId, args: ['/bin/sh', '-c', script], ...overrides })
    await driver.followLogs(workerId, { sinceMs: 0, onLine: () => undefined, signal: new AbortController().signal })
    const [line] = await driver.tailLogs(workerId, 1)
    await driver.removeWorker(workerId)
    return line?.line
  }

  it('attaches exactly the cards that were asked for, by UUID', async () => {
    const gpus = CARDS.map((uuid) => ({ uuid, name: 'NVIDIA GeForce RTX 4090', simulated: false }))
    expect(await visibleCards('gpuworker1', { gpus })).toBe(CARDS.join(','))
    expect(await visibleCards('gpuworker2', { gpus: gpus.slice(1) })).toBe(CARDS[1])
  })

  it('gives a worker no more cards than it was placed on, whatever its own variables say', async () => {
    const gpus = [{ uuid: CARDS[0] ?? '', name: 'NVIDIA GeForce RTX 4090', simulated: false }]
    expect(await visibleCards('gpuworker3', { gpus, env: { NVIDIA_VISIBLE_DEVICES: 'all' } })).toBe(CARDS[0])
    expect(await visibleCards('gpuworker4', { env: { NVIDIA_VISIBLE_DEVICES: 'all' } })).toBe('void')
  })

  it('lists the cards that nvidia-smi reports, the broken one as unhealthy', async () => {
    const report = await readFile(new URL('../../../nvidia-smi-parser/fixtures/faulty-h100-570.xml', import.meta.url), 'utf8')
    const warnings: string[] = []
    const log = { warn: (message: string) => void warnings.push(message) }
    const driver = createDockerHost({
      label: 'gpu-box',
      connection: { kind: 'unix', socket },
      instanceId: 'gpu-test',
      log,
      follow: async (_file, _args, { onOutput, signal }) => {
        onOutput(report)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return 137
      },
    })
    const { gpus, cudaVersion } = await driver.inventory()
    await driver.inventory()
    await driver[Symbol.asyncDispose]()
    expect(cudaVersion).toBe('12.8')
    expect(gpus.map(({ uuid, healthy }) => [uuid.slice(-4), healthy])).toEqual([
      ['0001', true],
      ['0002', false],
      ['0004', false],
    ])
    expect(warnings).toEqual([
      'host gpu-box: Unable to determine the device handle for GPU7: 0000:DB:00.0: Unknown Error',
      'host gpu-box: the card at 00000000:3B:00.0: the card does not answer the driver ("GPU is lost")',
    ])
  })
})

describe('GPUs on an engine without an NVIDIA runtime', () => {
  const socket = '/var/run/docker.sock'
  const here = spawnSync('docker', ['info', '--format', '{{json .Runtimes}}'], { encoding: 'utf8' })
  const can = here.status === 0 && !here.stdout.includes('nvidia') && spawnSync('which', ['nvidia-container-runtime-hook']).status !== 0

  it.skipIf(!can)(`are refused with the way to mend it${can ? '' : ' (skipped: needs an engine without one)'}`, async () => {
    const gpus = [{ uuid: CARDS[0] ?? '', name: 'NVIDIA L4', simulated: false }]
    const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId: 'no-gpu-test' })
    const launch = { ...baseLaunch, image: WORKER_IMAGE, args: ['/bin/true'], gpus }
    await expect(driver.startWorker(launch)).rejects.toThrow(/install nvidia-container-toolkit|nvidia-ctk cdi generate/)
    expect(await driver.listWorkers()).toEqual([])
  })
})

const baseLaunch = workerLaunch({ workerId: 'gpuworker0', endpointId: 'gpus', image: IMAGE })
