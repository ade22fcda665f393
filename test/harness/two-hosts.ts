// Two machines for scenarios: a network namespace each, with a Docker engine of its own, on one bridge with this machine. The engine of one is reached by ssh,
// the other's by TLS. They have no registry: images come by save and load. Nothing is shared but the kernel, and `stop` fails if something is left.
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareSsh, prepareTls, SSHD } from '@runyard/testing/remote-access'
import type { TlsFiles } from '@runyard/schema'
import { noteOwner, reapAbandoned, STACK_PREFIX } from './abandoned.ts'
import { findOnPath, runCommand, startChild, tryCommand, type Child } from './child.ts'
import { findLastingLeaks, removeLeaks } from './leaks.ts'
import { waitFor } from './wait.ts'
import { loadWorkerImage } from './worker-image.ts'

const SSH_PORT = 2222
const TLS_PORT = 2376
/** Of names of namespaces, with the pid of their owner; the bridge has the same name. */
const PREFIX = 'ryt'
const NAMESPACES = '/run/netns'

export interface SeparateHost {
  readonly name: string
  /** Of its engine, on this machine. */
  readonly socket: string
  /** As the scaler names it. */
  readonly hostId: () => Promise<string>
  /** Runs the Docker CLI on its engine. */
  readonly docker: (...args: readonly string[]) => Promise<string>
  /** Of all workers, whatever their state: id and name of the container. */
  readonly workers: () => Promise<readonly string[]>
  /** Takes its cable out, or puts it in. */
  readonly link: (state: 'up' | 'down') => Promise<void>
  /** Drops what comes for its engine, but not what its workers send. */
  readonly silenceEngine: (isSilent: boolean) => Promise<void>
  readonly stopEngine: () => Promise<void>
  readonly startEngine: () => Promise<void>
}

export interface TwoHosts {
  readonly bySsh: SeparateHost
  readonly byTls: SeparateHost
  /** The host by TLS, as a configuration has it. */
  readonly tlsHost: { readonly id: string; readonly engine: string; readonly tls: TlsFiles }
  /** Settings of a stack that has both hosts. */
  readonly settings: Readonly<Record<string, string>>
  /** How many ssh processes lead to the hosts. */
  readonly tunnels: () => number
  readonly stop: () => Promise<void>
}

/** Undefined if this machine can have them, else a phrase that says what is missing. */
export async function missingForTwoHosts(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = ['dockerd', 'ssh', 'openssl', 'ip', 'iptables', 'nsenter', 'unshare'].find((name) => findOnPath(name) === undefined)
  if (missing !== undefined) return `no ${missing} here`
  if (!existsSync(SSHD)) return 'no sshd here (apt-get install openssh-server)'
  const name = `${PREFIX}${process.pid}-try`
  const made = await tryCommand('ip', ['netns', 'add', name])
  await tryCommand('ip', ['netns', 'delete', name])
  return made.code === 0 ? undefined : `no network namespaces here: ${made.stderr.trim()}`
}

/** What an engine has beyond the usual. */
export interface EngineOptions {
  /** Instead of the `dockerd` of this machine. */
  readonly program?: string
  /** Its `daemon.json`. */
  readonly settings?: object
  /** Nothing stands in for NVIDIA's hook. */
  readonly withoutHook?: boolean
}

interface TwoHostsOptions extends Partial<Record<'bySsh' | 'byTls', EngineOptions>> {
  /** A directory that both have mounted, for the data of volumes. */
  readonly shared?: string
}

/** Both have the small worker image. */
export async function startTwoHosts(engines: TwoHostsOptions = {}): Promise<TwoHosts> {
  await reapAbandoned()
  await removeAbandonedNetworks()
  const dir = await mkdtemp(STACK_PREFIX)
  await noteOwner(dir)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const bridge = `${PREFIX}${process.pid}`
  const subnet = `10.213.${randomBytes(1).readUInt8(0)}`
  const plane = `${subnet}.1`
  undo.defer(() => removeNetwork(bridge))
  await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('address', 'add', `${plane}/24`, 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
  const machines = await Promise.all(
    ['a', 'b'].map((letter, index) => addMachine({ dir, bridge, letter, address: `${subnet}.${index + 2}` })),
  )
  const [first, second] = machines
  if (first === undefined || second === undefined) throw new Error('there are two letters')
  const tls = prepareTls(second.dir, second.address)
  const ssh = prepareSsh(first.dir, { address: first.address, port: SSH_PORT })
  const sshd = first.run('sshd', SSHD, ssh.sshdArguments)
  undo.defer(() => sshd.stop())
  const serveTls = ['-H', `tcp://${second.address}:${TLS_PORT}`, '--tlsverify']
  const files = ['--tlscacert', tls.server.ca, '--tlscert', tls.server.cert, '--tlskey', tls.server.key]
  const hosts = [
    toHost(first, { ...engines.bySsh, listen: [] }),
    toHost(second, { ...engines.byTls, listen: [...serveTls, ...files] }),
  ] as const
  for (const host of hosts) undo.defer(() => host.stopEngine())
  await Promise.all(hosts.map((host) => host.startEngine()))
  await loadWorkerImage(hosts)
  const bin = join(dir, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec ${findOnPath('ssh') ?? 'ssh'} -F ${ssh.config} "$@"\n`)
  await chmod(join(bin, 'ssh'), 0o755)
  const made = undo.move()
  const volumes = engines.shared === undefined ? {} : { volumes: { path: engines.shared, shared: true } }
  const sshHost = { id: 'by-ssh', engine: `ssh://root@${first.address}:${SSH_PORT}${first.socket}` }
  const tlsHost = { id: 'by-tls', engine: `tcp://${second.address}:${TLS_PORT}`, tls: tls.client }
  return {
    bySsh: hosts[0],
    byTls: hosts[1],
    tlsHost,
    settings: {
      RUNYARD_HOSTS: JSON.stringify([sshHost, tlsHost].map((host) => ({ ...host, ...volumes }))),
      RUNYARD_WORKER_PLANE_HOST: plane,
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    },
    tunnels: () =>
      commandLines()
        .filter((line) => line.startsWith('ssh\0') || line.includes('/ssh\0'))
        .filter((line) => line.includes(dir)).length,
    stop: async () => {
      await made.disposeAsync()
      await refuseLeaks(dir, bridge)
    },
  }
}

interface Machine {
  readonly dir: string
  readonly namespace: string
  readonly address: string
  readonly socket: string
  /** Its cable's end on this machine. */
  readonly cable: string
  /** Starts a program on it. */
  readonly run: (name: string, command: string, args: readonly string[]) => Child
}

interface Place {
  readonly dir: string
  readonly bridge: string
  readonly letter: string
  readonly address: string
}

async function addMachine({ dir: parent, bridge, letter, address }: Place): Promise<Machine> {
  const dir = join(parent, letter)
  await mkdir(dir)
  const namespace = `${bridge}-${letter}`
  const cable = `${bridge}${letter}`
  await ip('netns', 'add', namespace)
  await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  await ip('link', 'set', cable, 'master', bridge, 'up')
  const inside = ['-n', namespace]
  await ip(...inside, 'address', 'add', `${address}/24`, 'dev', 'eth0')
  for (const device of ['lo', 'eth0']) await ip(...inside, 'link', 'set', device, 'up')
  const run: Machine['run'] = (name, command, args) =>
    startChild({ name, command: 'nsenter', args: [`--net=${join(NAMESPACES, namespace)}`, command, ...args] })
  return { dir, namespace, address, cable, socket: join(dir, 'docker.sock'), run }
}

/**
 * Engines before 23 take their id from the folder of settings, and would all be the same engine. What else is there stands in for NVIDIA's hook, so that a
 * request for cards goes through as on a machine that has them.
 */
const WITH_OWN_SETTINGS = 'mkdir -p /etc/docker && mount --bind "$1" /etc/docker && PATH="$1:$PATH" && shift && exec "$@"'
const HOOK = 'nvidia-container-runtime-hook'

interface EngineOfHost extends EngineOptions {
  readonly listen: readonly string[]
}

function toHost(machine: Machine, { listen, program = 'dockerd', settings = {}, withoutHook = false }: EngineOfHost): SeparateHost {
  const { dir, namespace, cable, socket } = machine
  const at = (name: string): string => join(dir, name)
  const docker: SeparateHost['docker'] = (...args) => runCommand('docker', ['-H', `unix://${socket}`, ...args])
  let engine: Child | undefined
  let id: Promise<string> | undefined
  const startEngine = async (): Promise<void> => {
    await mkdir(at('settings'), { recursive: true })
    if (!withoutHook) await writeFile(join(at('settings'), HOOK), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    await writeFile(join(at('settings'), 'daemon.json'), JSON.stringify(settings))
    const files = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '-H', `unix://${socket}`]
    // A containerd of the system would be shared.
    const own = ['--containerd-namespace', namespace, '--containerd-plugins-namespace', `${namespace}-plugins`]
    const args = [...files, ...own, ...listen, '--bridge=none', '--shutdown-timeout', '2']
    const shell = ['--mount', '--propagation', 'slave', 'sh', '-c', WITH_OWN_SETTINGS, 'sh', at('settings'), program, ...args]
    const started = machine.run(`engine ${namespace}`, 'unshare', shell)
    engine = started
    await waitFor(`the engine of ${namespace}`, async () => {
      if (!started.isRunning()) throw new Error(started.output().slice(-2000))
      return existsSync(socket) && (await tryCommand('docker', ['-H', `unix://${socket}`, 'version'])).code === 0
    })
  }
  return {
    name: namespace,
    socket,
    // Asked once: it stays in the engine's settings.
    hostId: () => (id ??= docker('info', '--format', '{{.ID}}').then((line) => `docker:${line.trim()}`)),
    docker,
    workers: async () =>
      (await docker('ps', '-a', '--filter', 'label=runyard.worker', '--format', '{{.ID}} {{.Names}}'))
        .split('\n')
        .filter((line) => line !== ''),
    link: (state) => ip('link', 'set', cable, state),
    silenceEngine: async (isSilent) => {
      const rule = [isSilent ? '-I' : '-D', 'INPUT', '-p', 'tcp', '-m', 'multiport', '--dports', `${SSH_PORT},${TLS_PORT}`, '-j', 'DROP']
      await runCommand('nsenter', [`--net=${join(NAMESPACES, namespace)}`, 'iptables', '-w', ...rule])
    },
    stopEngine: async () => engine?.stop(30_000),
    startEngine,
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await runCommand('ip', args)
}

const namespacesOf = (bridge: string): readonly string[] => readNames(NAMESPACES).filter((name) => name.startsWith(`${bridge}-`))

async function removeNetwork(bridge: string): Promise<void> {
  // The cables go with their namespaces.
  for (const namespace of namespacesOf(bridge)) await tryCommand('ip', ['netns', 'delete', namespace])
  await tryCommand('ip', ['link', 'delete', bridge])
}

/** Of runs that were killed. */
async function removeAbandonedNetworks(): Promise<void> {
  const owned = new RegExp(`^${PREFIX}(\\d+)(-|$)`)
  const names = [...readNames(NAMESPACES), ...readNames('/sys/class/net')]
  const owners = new Set(names.flatMap((name) => owned.exec(name)?.[1] ?? []))
  for (const pid of owners) if (!readNames('/proc').includes(pid)) await removeNetwork(`${PREFIX}${pid}`)
}

async function refuseLeaks(dir: string, bridge: string): Promise<void> {
  const processes = await findLastingLeaks({ dataDir: dir, instance: undefined, ownPid: process.pid })
  const networks = [...namespacesOf(bridge), ...readNames('/sys/class/net').filter((name) => name.startsWith(bridge))]
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(dir))
  await removeLeaks(processes)
  const left = [...processes.map(({ what }) => what), ...networks, ...mounts]
  if (left.length > 0) throw new Error(`left behind by two hosts: ${left.join('; ')}`)
}

function readNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function commandLines(): readonly string[] {
  return readNames('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'latin1')] : []
    } catch {
      return []
    }
  })
}
