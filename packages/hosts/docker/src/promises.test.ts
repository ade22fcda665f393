// What docs/security.md promises about containers, looked up in real ones: in what the engine was asked for, and from inside. The agent's volume,
// which is read-only, has its own test (`agent-volume.test.ts`).
import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WorkerLaunch } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { containerName, KEPT_CAPABILITIES, LABELS } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { removeAllWorkers } from './installs.ts'
import { importShell, startEngine, suiteOnOwnEngine } from './testing/gpu-engine-fixture.ts'
import { WORKER_IMAGE } from './images.ts'
import { ensureDefaultImage } from './testing/default-image.ts'
import { WORKER_NETWORK } from './worker-network.ts'

const GIB = 2 ** 30
const instanceId = 'promises-test'
const baseLaunch = workerLaunch({ workerId: 'promised001' })
const SOCKET = '/var/run/docker.sock'
const CARD = { uuid: 'GPU-2b1f6b9e-0c53-4f0e-9d43-5a7d8c1e4f10', name: 'NVIDIA L4', simulated: false }

async function inspectWorker(socket: string, overrides: Partial<WorkerLaunch>): Promise<Docker.ContainerInspectInfo> {
  await using driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId })
  const launch = { ...baseLaunch, ...overrides }
  await driver.startWorker(launch)
  return new Docker({ socketPath: socket }).getContainer(containerName(instanceId, launch.workerId)).inspect()
}

/** For every worker, whatever it has. */
function expectPromises({ HostConfig, Mounts }: Docker.ContainerInspectInfo): void {
  expect(HostConfig).toMatchObject({
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
    PidsLimit: 64,
    OomScoreAdj: 500,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '2' } },
  })
  expect(HostConfig.CapAdd?.toSorted()).toEqual([...KEPT_CAPABILITIES].toSorted())
  expect(HostConfig.Ulimits).toContainEqual({ Name: 'core', Soft: 0, Hard: 0 })
  expect(HostConfig.NetworkMode).toBe(WORKER_NETWORK)
  expect([HostConfig.PidMode, HostConfig.IpcMode, HostConfig.UTSMode]).toEqual(['', 'private', ''])
  expect(Mounts).toEqual([])
  expect(HostConfig.Binds ?? []).toEqual([])
  expect(HostConfig.Devices ?? []).toEqual([])
}

describe('a CPU worker', () => {
  beforeAll(ensureDefaultImage, 600_000)
  afterEach(() => removeAllWorkers(openEngine({ kind: 'unix', socket: SOCKET }), instanceId))

  it('has the limits and privileges that are promised, and no more memory than its own', async () => {
    const limits = { memoryBytes: GIB, cpus: 1.5 }
    const info = await inspectWorker(SOCKET, { ...limits, image: WORKER_IMAGE, args: ['sleep', '60'] })
    expectPromises(info)
    expect(info.HostConfig).toMatchObject({ Memory: GIB, MemorySwap: GIB, NanoCpus: 1_500_000_000, ShmSize: GIB / 2 })
  })

  it('sees them from inside: no capabilities but those kept, no new privileges, no socket, no core files', async () => {
    const script = `grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; cat /proc/self/oom_score_adj; ulimit -n; ulimit -c; ls /var/run/docker.sock`
    await using driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket: SOCKET }, instanceId })
    await driver.startWorker({ ...baseLaunch, image: WORKER_IMAGE, args: ['sh', '-c', script] })
    await driver.followLogs(baseLaunch.workerId, { sinceMs: 0, onLine: () => undefined, signal: new AbortController().signal })
    const lines = (await driver.tailLogs(baseLaunch.workerId, 20)).map(({ line }) => line.replace(/\s+/g, ' '))
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
    expect(lines).toEqual(expect.arrayContaining(['CapEff: 00000000000004fb', 'NoNewPrivs: 1', '500', '0']))
    // 65,536, or fewer where the engine itself may open fewer.
    expect(Number(lines[3])).toBeLessThanOrEqual(65_536)
    expect(lines.join(' ')).toMatch(/docker\.sock.*No such file/)
  })

  it('is measured where the engine cannot limit what it writes', async () => {
    const warnings: string[] = []
    const log = { warn: (message: string) => void warnings.push(message) }
    await using driver = createDockerHost({
      label: 'here',
      connection: { kind: 'unix', socket: SOCKET },
      instanceId,
      log,
      measureEveryMs: 1,
    })
    const script = 'head -c 5000000 /dev/zero > /big; sleep 60'
    await driver.startWorker({ ...baseLaunch, image: WORKER_IMAGE, diskBytes: GIB, args: ['sh', '-c', script] })
    const [info] = await new Docker({ socketPath: SOCKET }).listContainers({ filters: { label: [`runyard=${instanceId}`] } })
    const { HostConfig } = await new Docker({ socketPath: SOCKET }).getContainer(info?.Id ?? '').inspect()
    if (HostConfig.StorageOpt?.['size'] === String(GIB)) return
    expect(warnings).toEqual([expect.stringMatching(/cannot limit what a container writes/)])
    const written = async () => (await driver.listWorkers())[0]?.diskBytes ?? 0
    await vi.waitUntil(async () => (await written()) >= 5_000_000, { timeout: 60_000 })
  })
})

suiteOnOwnEngine('a GPU worker', () => {
  let dir = ''
  let socket = ''
  let engine: ChildProcess

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'runyard-engine-'))
    socket = join(dir, 'docker.sock')
    engine = await startEngine(dir, socket)
    await importShell(new Docker({ socketPath: socket }), dir)
  })

  afterAll(async () => {
    await removeAllWorkers(openEngine({ kind: 'unix', socket }), instanceId)
    engine.kill('SIGTERM')
    await new Promise((resolve) => engine.once('exit', resolve))
    await rm(dir, { recursive: true, force: true })
  })

  it('has the same, with its share of memory as a limit and its share of the CPUs as a weight', async () => {
    const shares = { memoryBytes: GIB, cpuShares: 2048, gpus: [CARD] }
    const script = 'while :; do read -t 1 x; done'
    const info = await inspectWorker(socket, { ...shares, image: 'runyard/shell:latest', args: ['/bin/sh', '-c', script] })
    expectPromises(info)
    expect(info.HostConfig).toMatchObject({ Memory: GIB, MemorySwap: GIB, CpuShares: 2048, NanoCpus: 0 })
    expect(info.HostConfig.DeviceRequests).toMatchObject([{ Driver: 'nvidia', DeviceIDs: [CARD.uuid] }])
  })

  it('starts with its network and its agent although another installation removed both from the host', async () => {
    const docker = new Docker({ socketPath: socket })
    const agentDirectory = join(dir, 'agent')
    await mkdir(agentDirectory)
    await writeFile(join(agentDirectory, 'agent.mjs'), '')
    const release = { version: '0.0.0-test', agentDirectory, workerDockerfile: '' }
    const connection = { kind: 'unix', socket } as const
    await using driver = createDockerHost({ label: 'here', connection, instanceId, release })
    await using leaver = createDockerHost({ label: 'here', connection, instanceId: 'leaves' })
    const launch = workerLaunch({ image: 'runyard/shell:latest', withAgent: true })
    await driver.startWorker({ ...launch, workerId: 'before01' })
    expect(await leaver.clear?.()).toMatchObject({ removed: [], kept: [expect.stringContaining('another installation')] })
    await removeAllWorkers(openEngine(connection), instanceId)
    const shared = { removed: ['the agent', 'the network of workers'], kept: [] }
    expect(await leaver.clear?.()).toEqual(shared)
    await driver.startWorker({ ...launch, workerId: 'after001' })
    expect(await docker.listNetworks({ filters: { name: [WORKER_NETWORK] } })).toHaveLength(1)
    const { Volumes } = await docker.listVolumes({ filters: { label: [LABELS.agent] } })
    expect(await Promise.all(Volumes.map(async ({ Mountpoint }) => (await readdir(Mountpoint)).toSorted()))).toEqual([
      ['.complete', 'agent.mjs', 'bin'],
    ])
    await removeAllWorkers(openEngine(connection), instanceId)
    expect(await leaver.clear?.()).toEqual(shared)
  })
})
