import { randomBytes } from 'node:crypto'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { HostDriver, TlsFiles } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import { afterEach, beforeEach, describe, expect, vi } from 'vitest'
import { directory as dir, it } from '@runyard/testing/directory'
import { findFreePort } from '@runyard/testing/free-port'
import { prepareTls } from '@runyard/testing/remote-access'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { WORKER_IMAGE } from './images.ts'
import { canRunSshd, startSshd, startTlsEngine } from './testing/remote-engine-fixture.ts'

const SOCKET = '/var/run/docker.sock'
const WAIT = { timeout: 30_000, interval: 50 }

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

  const connection = () => ({ kind: 'ssh', host: '127.0.0.1', user: undefined, port, socket: SOCKET }) as const
  const open = (more: { config?: string } = {}) =>
    createDockerHost({
      label: 'box',
      connection: connection(),
      instanceId: `ssh-${randomBytes(4).toString('hex')}`,
      plane: { host: '127.0.0.1', port: 8081, url: 'http://plane.example' },
      sshArguments: ['-F', more.config ?? config],
    })

  const tunnels = () =>
    spawnSync('pgrep', ['-f', `^ssh .*runyard-ssh.*${port}`], { encoding: 'utf8' })
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

  it('runs commands on the host over the same connection, and leads an address of it to this machine', async () => {
    await using engine = openEngine(connection(), ['-F', config])
    await engine.docker().ping()
    const { tunnel } = engine
    if (tunnel === undefined) throw new Error('no tunnel')
    expect(await tunnel.run('echo', ['hello'])).toBe('hello\n')
    expect(await tunnel.run('no-such-program', [])).toBeUndefined()
    const stop = new AbortController()
    const follow = { signal: stop.signal, onOutput: () => stop.abort() }
    expect(await tunnel.follow('no-such-program', [], follow)).toBeUndefined()
    await tunnel.follow('echo begun; exec sleep', ['20'], follow)
    expect(stop.signal.aborted).toBe(true)
    const server = createServer((socket) => socket.end('plane')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const from = await findFreePort()
    const answer = async () => (await connect(from, '127.0.0.1').toArray()).join('')
    await tunnel.forward({ from: `127.0.0.1:${from}`, to: `127.0.0.1:${(server.address() as AddressInfo).port}` })
    expect(await answer()).toBe('plane')
    process.kill(Number(tunnels()[0]), 'SIGKILL')
    await vi.waitFor(async () => expect(await answer()).toBe('plane'), WAIT)
    expect(tunnels()).toHaveLength(1)
    server.close()
  }, 60_000)

  it('ends its ssh, and leaves no directory, when the process that opened it is killed', async () => {
    const program = `import { openEngine } from ${JSON.stringify(new URL('./engine.ts', import.meta.url).href)}
      const engine = openEngine(${JSON.stringify(connection())}, ${JSON.stringify(['-F', config])})
      await engine.docker().ping()
      console.log('up')
      setInterval(() => undefined, 1000)`
    const env = { ...process.env, TMPDIR: dir }
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env })
    const left = async () => (await readdir(dir)).filter((name) => name.startsWith('runyard-ssh-'))
    await once(child.stdout, 'data')
    expect([tunnels().length, (await left()).length]).toEqual([1, 1])
    child.kill('SIGKILL')
    await vi.waitFor(async () => expect([tunnels(), await left()]).toEqual([[], []]), WAIT)
  }, 60_000)

  it('is unknown, with the words of ssh, if its key is not the known one', async () => {
    const strict = join(dir, 'strict.conf')
    await writeFile(strict, `Host *\n  IdentityFile ${join(dir, 'user')}\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n`)
    await using driver = open({ config: strict })
    await expect(driver.listWorkers()).rejects.toThrow(
      `ssh does not reach ssh://127.0.0.1:${port}: Host key verification failed: compare its key with the host's and accept it with "ssh -p ${port} 127.0.0.1".`,
    )
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
    await expect(wrong.listWorkers()).rejects.toThrow('is not signed by the ca of this host')
    await using plain = createDockerHost({ ...common, connection: { ...connection, tls: undefined } })
    await expect(plain.listWorkers()).rejects.toMatchObject({ name: 'RunyardError' })
  })

  it('gets the certificate that the files hold now, and the one before while they are half renewed', async () => {
    await using engine = await startTlsEngine(dir, SOCKET)
    const connection = { kind: 'tcp', host: '127.0.0.1', port: engine.port, tls: engine.tls } as const
    await using driver = createDockerHost({ label: 'box', instanceId: `tls-${randomBytes(4).toString('hex')}`, connection })
    await mkdir(join(dir, 'stranger'))
    const { client: stranger } = prepareTls(join(dir, 'stranger'), '127.0.0.1')
    await copyFile(stranger.cert, engine.tls.cert)
    expect(await driver.listWorkers()).toEqual([])
    await copyFile(stranger.key, engine.tls.key)
    // The engine may say why, or just end the connection.
    await expect(driver.listWorkers()).rejects.toThrow(/refuses the cert of this host|has signed the cert of this host/)
  })

  it('is refused in one sentence if a file of its certificates is missing, or another one than it should be', () => {
    const { client, server } = prepareTls(dir, '127.0.0.1')
    const open = (change: Partial<TlsFiles>) => () => openEngine({ kind: 'tcp', host: 'box', port: 1, tls: { ...client, ...change } })
    expect(open({ ca: '/nowhere/ca.pem' })).toThrow('The TLS file /nowhere/ca.pem of a host cannot be read.')
    expect(open({ ca: client.key })).toThrow(`The TLS file ${client.key} of a host holds no certificate.`)
    expect(open({ key: client.cert })).toThrow(`The TLS file ${client.cert} of a host holds no private key without a passphrase.`)
    expect(open({ cert: server.cert })).toThrow(`The TLS files ${server.cert} and ${client.key} of a host do not belong together.`)
  })
})

it('a host on another machine is not prepared while its workers could not reach the worker plane', async () => {
  await using engine = await startTlsEngine(dir, SOCKET)
  const connection = { kind: 'tcp', host: '127.0.0.1', port: engine.port, tls: engine.tls } as const
  await using driver = createDockerHost({ label: 'box', instanceId: 'i', connection })
  const prepared = driver.prepare({ onProgress: () => undefined, signal: new AbortController().signal })
  await expect(prepared).rejects.toThrow('set planeUrl of this host, or workerPlane.url')
})

const launch = workerLaunch({ workerId: 'remote001', endpointId: 'remote', image: WORKER_IMAGE, args: ['echo', 'hello'] })
