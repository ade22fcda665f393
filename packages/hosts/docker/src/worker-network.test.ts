// The network of workers on the real engine: what a worker reaches, tried from inside of one. The metadata service is a server in a network
// namespace of its own, with the address that clouds use, so that the packets are forwarded as on a cloud.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { HostDriver } from '@runyard/schema'
import { workerLaunch } from '@runyard/testing'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sandboxOf } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { removeAllWorkers } from './installs.ts'
import { WORKER_IMAGE } from './images.ts'
import { ensureDefaultImage } from './testing/default-image.ts'
import { readySandboxes } from './testing/ready-sandboxes.ts'
import { blockMetadata, ensureWorkerNetwork, WORKER_BRIDGE, WORKER_NETWORK } from './worker-network.ts'

const SOCKET = '/var/run/docker.sock'
const METADATA = '169.254.169.254'
const NAMESPACE = 'runyard-metadata'
const connection = { kind: 'unix', socket: SOCKET } as const
const instanceId = 'network-test'
const docker = new Docker({ socketPath: SOCKET })
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })

/** Prints `reached`, or why not, of a connection to the address and port. */
const connectTo = (address: string, port: number) => ['python3', '-c', CONNECT, address, String(port)]
const CONNECT = `
import errno, socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    print("reached")
except OSError as error:
    print(errno.errorcode.get(error.errno, type(error).__name__))
`

type Way = 'attached' | 'joined'
const ways: readonly [Way, string][] = [
  ['attached', 'attached to the network itself'],
  ['joined', 'in a network sandbox'],
]

/** A driver whose next worker gets its network in this way. */
async function openDriver(way: Way): Promise<HostDriver> {
  const driver = createDockerHost({ label: 'here', connection, instanceId })
  if (way === 'attached') return driver
  driver.keepReady?.({ networks: 1 })
  await readySandboxes(docker, instanceId, 1)
  return driver
}

/** What a worker prints that runs this command. */
async function fromInside(workerId: string, args: readonly string[], way: Way = 'attached'): Promise<string> {
  await using driver = await openDriver(way)
  await driver.startWorker(workerLaunch({ workerId, args: [...args] }))
  const lines: string[] = []
  await driver.followLogs(workerId, { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
  return lines.join('\n')
}

async function addressOf(workerId: string): Promise<string> {
  const containers = await docker.listContainers({ filters: { label: [`runyard=${instanceId}`] } })
  const worker = containers.find(({ Labels }) => Labels['runyard.worker'] === workerId)
  const sandbox = containers.find(({ Id }) => Id === sandboxOf(worker?.HostConfig ?? {}))
  return (sandbox ?? worker)?.NetworkSettings.Networks[WORKER_NETWORK]?.IPAddress ?? 'none'
}

beforeAll(ensureDefaultImage, 600_000)
afterEach(() => removeAllWorkers(openEngine(connection), instanceId))

describe("the workers' network", () => {
  it.each(ways)('lets no worker reach another one: %s (%s)', { timeout: 60_000 }, async (way) => {
    await using driver = await openDriver(way)
    const server = ['python3', '-m', 'http.server', '8000']
    await driver.startWorker(workerLaunch({ workerId: 'server01', args: server }))
    driver.keepReady?.(undefined)
    const address = await addressOf('server01')
    expect(address).toMatch(/^\d+(\.\d+){3}$/)
    const own = docker.getContainer((await docker.listContainers({ filters: { label: ['runyard.worker=server01'] } }))[0]?.Id ?? '')
    await expect.poll(() => execIn(own, connectTo('127.0.0.1', 8000)), { timeout: 20_000 }).toContain('reached')
    expect(await fromInside('client01', connectTo(address, 8000), way)).toBe('TimeoutError')
  })

  it.each(ways)('lets workers reach this machine at the address that it reports: %s (%s)', { timeout: 60_000 }, async (way) => {
    const address = (await ensureWorkerNetwork(docker)) ?? 'none'
    const script = `import http.server, sys; s = http.server.HTTPServer((sys.argv[1], 0), http.server.SimpleHTTPRequestHandler); print(s.server_port, flush=True); s.serve_forever()`
    const server = spawn('python3', ['-c', script, address], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [port] = (await once(server.stdout, 'data')) as [Buffer]
      expect(await fromInside('plane001', connectTo(address, Number(port.toString())), way)).toBe('reached')
    } finally {
      server.kill('SIGKILL')
    }
  })
})

const canForward = process.getuid?.() === 0 && existsSync('/usr/sbin/ip')

describe.runIf(canForward)('the metadata service of a cloud (needs root and iproute2)', () => {
  let service: ChildProcess

  beforeAll(async () => {
    ip('netns', 'add', NAMESPACE)
    ip('link', 'add', 'ry-metadata', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAMESPACE)
    ip('addr', 'add', '169.254.169.1/24', 'dev', 'ry-metadata')
    ip('link', 'set', 'ry-metadata', 'up')
    ip('-n', NAMESPACE, 'addr', 'add', `${METADATA}/24`, 'dev', 'eth0')
    ip('-n', NAMESPACE, 'link', 'set', 'eth0', 'up')
    ip('-n', NAMESPACE, 'route', 'add', 'default', 'via', '169.254.169.1')
    service = spawn('ip', ['netns', 'exec', NAMESPACE, 'python3', '-um', 'http.server', '80', '--bind', METADATA], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(service.stdout ?? service, 'data')
  })
  afterAll(() => {
    service.kill('SIGKILL')
    ip('netns', 'del', NAMESPACE)
  })

  it('is out of reach of workers once the host is prepared, and doctor says so', { timeout: 120_000 }, async () => {
    await ensureWorkerNetwork(docker)
    for (const rule of ownRules()) ip('rule', 'del', ...rule)
    expect(await blockMetadata(docker, { image: WORKER_IMAGE, mode: 'check' })).toEqual({
      kind: 'open',
      reason: 'routing rules are missing; they are added when Runyard starts',
    })
    expect(await fromInside('open0001', connectTo(METADATA, 80))).toBe('reached')
    expect(await blockMetadata(docker, { image: WORKER_IMAGE, mode: 'add' })).toEqual({ kind: 'blocked' })
    expect(await blockMetadata(docker, { image: WORKER_IMAGE, mode: 'add' })).toEqual({ kind: 'blocked' })
    expect(ownRules()).toHaveLength(3)
    expect(await blockMetadata(docker, { image: WORKER_IMAGE, mode: 'check' })).toEqual({ kind: 'blocked' })
    for (const [way] of ways) expect(await fromInside(`closed-${way}`, connectTo(METADATA, 80), way)).toBe('EHOSTUNREACH')
  })
})

/** As arguments of `ip rule del`. */
function ownRules(): string[][] {
  const lines = ip('rule', 'list')
    .split('\n')
    .filter((line) => line.includes(`iif ${WORKER_BRIDGE}`))
  return lines.map((line) =>
    line
      .replace(/^\d+:\s*/, '')
      .replace(/ipproto \S+/, 'ipproto tcp')
      .trim()
      .split(/\s+/),
  )
}

async function execIn(container: Docker.Container, command: readonly string[]): Promise<string> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, Tty: true })
  const stream = await exec.start({})
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
