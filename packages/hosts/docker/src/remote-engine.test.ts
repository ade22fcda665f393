import { randomBytes } from 'node:crypto'
import { spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostDriver, WorkerLaunch } from '@runyard/schema'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDockerHost } from './docker-host.ts'
import { WORKER_IMAGE } from './images.ts'
import { canRunSshd, startSshd, startTlsEngine } from './testing/remote-engine-fixture.ts'

const SOCKET = '/var/run/docker.sock'
const WAIT = { timeout: 30_000, interval: 50 }
let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runyard-remote-'))
})

afterEach(() => rm(dir, { recursive: true, force: true }))

/** A worker runs, prints, is listed, stopped and removed. */
async function outputOf(driver: HostDriver): Promise<readonly string[]> {
  const lines: string[] = []
  await driver.startWorker(launch)
  await driver.followLogs(launch.workerId, { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
  expect(await driver.listWorkers()).toMatchObject([{ workerId: launch.workerId }])
  await driver.removeWorker(launch.workerId)
  return lines
}

describe.skipIf(!canRunSshd)(`an engine that ssh reaches${canRunSshd ? '' : ' (skipped: needs root and sshd)'}`, () => {
  let sshd: ChildProcess
  let config: string
  let port: number

  beforeEach(async () => {
    ;({ sshd, config, port } = await startSshd(dir))
  })

  afterEach(() => {
    sshd.kill('SIGTERM')
  })

  const open = (more: { config?: string } = {}) =>
    createDockerHost({
      label: 'box',
      connection: { kind: 'ssh', host: '127.0.0.1', user: undefined, port, socket: SOCKET },
      instanceId: `ssh-${randomBytes(4).toString('hex')}`,
      plane: { host: '127.0.0.1', port: 8081, url: 'http://plane.example' },
      sshArguments: ['-F', more.config ?? config],
    })

  const tunnels = () =>
    spawnSync('pgrep', ['-f', `runyard-ssh.*${port}`], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean)

  it('runs workers, over one tunnel that is closed at the end', async () => {
    const driver = open()
    expect(await driver.probe()).toMatchObject({ kind: 'ok' })
    expect(await outputOf(driver)).toEqual(['hello'])
    expect(tunnels()).toHaveLength(1)
    await driver[Symbol.asyncDispose]()
    expect(tunnels()).toEqual([])
  })

  it('answers again after its tunnel has died', async () => {
    await using driver = open()
    expect(await driver.listWorkers()).toEqual([])
    const [before] = tunnels()
    process.kill(Number(before), 'SIGKILL')
    await vi.waitFor(async () => {
      expect(await driver.listWorkers()).toEqual([])
      expect(tunnels()[0]).not.toBe(before)
    }, WAIT)
  })

  it('is unknown, with the words of ssh, if its key is not the known one', async () => {
    const strict = join(dir, 'strict.conf')
    await writeFile(strict, `Host *\n  IdentityFile ${join(dir, 'user')}\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n`)
    await using driver = open({ config: strict })
    await expect(driver.listWorkers()).rejects.toThrow(`ssh does not reach ssh://127.0.0.1:${port}: Host key verification failed.`)
  }, 40_000)
})

describe('an engine behind TLS', () => {
  it('runs workers for the holder of the certificate, and for no other client', async () => {
    await using engine = await startTlsEngine(dir, SOCKET)
    const common = { label: 'box', instanceId: `tls-${randomBytes(4).toString('hex')}` }
    const connection = { kind: 'tcp', host: '127.0.0.1', port: engine.port, tls: engine.tls } as const
    await using driver = createDockerHost({ ...common, connection })
    expect(await outputOf(driver)).toEqual(['hello'])
    await using wrong = createDockerHost({ ...common, connection: { ...connection, tls: { ...engine.tls, ca: engine.tls.cert } } })
    await expect(wrong.listWorkers()).rejects.toThrow('Docker cannot list the workers')
    await using plain = createDockerHost({ ...common, connection: { ...connection, tls: undefined } })
    await expect(plain.listWorkers()).rejects.toMatchObject({ name: 'RunyardError' })
  })

  it('is refused in one sentence if a file of its certificates is missing', () => {
    const tls = { ca: '/nowhere/ca.pem', cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' }
    const open = () => createDockerHost({ label: 'box', instanceId: 'i', connection: { kind: 'tcp', host: 'box', port: 1, tls } })
    expect(open).toThrow('The TLS file /nowhere/ca.pem of a host cannot be read.')
  })
})

it('a host on another machine is not prepared while its workers could not reach the worker plane', async () => {
  await using engine = await startTlsEngine(dir, SOCKET)
  const connection = { kind: 'tcp', host: '127.0.0.1', port: engine.port, tls: engine.tls } as const
  await using driver = createDockerHost({ label: 'box', instanceId: 'i', connection })
  const prepared = driver.prepare({ onProgress: () => undefined, signal: new AbortController().signal })
  await expect(prepared).rejects.toThrow('set planeUrl of this host, or workerPlane.url')
})

const launch: WorkerLaunch = {
  workerId: 'remote001',
  endpointId: 'remote',
  specHash: 'spec0',
  endpointVersion: 1,
  image: WORKER_IMAGE,
  withAgent: false,
  entrypoint: [],
  args: ['echo', 'hello'],
  env: {},
  gpus: [],
  memoryBytes: undefined,
  cpus: undefined,
  pidsLimit: 64,
  runtime: undefined,
  caBundle: undefined,
}
