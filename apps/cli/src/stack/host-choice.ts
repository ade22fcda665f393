// Where workers will run: as configured, else containers where a Docker engine answers, else processes of this machine, said aloud with
// the reason. For containers it sees to the default image, to the agent's volume and to the address at which they reach us.
import { join } from 'node:path'
import { bridgeGatewayAddress, ensureAgentVolume, ensureWorkerImage, openEngine, probeEngine } from '@runyard/host-docker'
import { DockerHostConfig, engineOf, ProcessHostConfig, quoted, RunyardError, type HostConfig } from '@runyard/schema'
import type { Progress } from '../output/progress.ts'
import { ROOT } from '../locations.ts'
import type { Settings } from '../settings.ts'
import { VERSION } from '../version.ts'
import { findOnPath } from './find-on-path.ts'

export interface HostChoice {
  readonly hosts: readonly HostConfig[]
  /** Given to the scaler as RUNYARD_AGENT_VOLUME. */
  readonly agentVolume: string | undefined
  /** Where the worker plane must listen so that workers reach it. */
  readonly planeHost: string
}

interface ChoiceOptions {
  readonly config: Settings['config']
  readonly env: NodeJS.ProcessEnv
  readonly progress: Progress
  readonly signal: AbortSignal
}

const LOOPBACK = '127.0.0.1'

/** @throws RunyardError with one sentence when what was asked for cannot be had. */
export async function chooseHosts(options: ChoiceOptions): Promise<HostChoice> {
  const { hosts } = options.config
  if (hosts !== undefined) return prepareConfigured(hosts, options)
  const docker = DockerHostConfig.parse({ kind: 'docker', ...socketOf(options.env) })
  await using opened = openEngine(engineOf(docker))
  const engine = await probeEngine(opened)
  if (engine.kind === 'failed') return fallBack(engine.message, options)
  try {
    return await prepareDocker([docker], engine.version, options)
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    return fallBack(error.message, options)
  }
}

async function prepareConfigured(hosts: readonly HostConfig[], options: ChoiceOptions): Promise<HostChoice> {
  const docker = hosts.filter((host) => host.kind === 'docker')
  const [first] = docker
  if (first === undefined) {
    await tellProcessHost('as configured', options)
    return { hosts, agentVolume: undefined, planeHost: LOOPBACK }
  }
  await using opened = openEngine(engineOf(first))
  const engine = await probeEngine(opened)
  if (engine.kind === 'failed') throw new RunyardError('bad_request', engine.message)
  return { ...(await prepareDocker(docker, engine.version, options)), hosts }
}

async function prepareDocker(
  hosts: readonly DockerHostConfig[],
  version: string,
  { config, progress, env, signal }: ChoiceOptions,
): Promise<HostChoice> {
  const [host] = hosts
  if (host === undefined) throw new RunyardError('bad_request', 'No Docker host is configured.')
  await using engine = openEngine(engineOf(host))
  const step = progress.begin('workers')
  const image = await ensureWorkerImage({
    engine,
    dockerfile: join(ROOT, 'docker', 'worker.Dockerfile'),
    onProgress: (line) => {
      step.note(line)
    },
    env,
    base: config.defaultImageBase,
    signal,
  })
  step.note('preparing the agent')
  const agentVolume = await ensureAgentVolume({ engine, version: VERSION, directory: join(ROOT, 'apps', 'agent', 'dist') })
  const planeHost = await bridgeGatewayAddress(engine)
  if (planeHost === undefined) {
    throw new RunyardError('bad_request', 'Docker has no default bridge network; set workerPlane.host to an address that containers reach.')
  }
  step.done(`containers on Docker ${version}, image ${image.image}${image.built ? ' (just built)' : ''}`)
  return { hosts, agentVolume, planeHost }
}

async function fallBack(reason: string, options: ChoiceOptions): Promise<HostChoice> {
  await tellProcessHost('nothing is isolated and limits are not enforced', options)
  options.progress.say(`             not containers: ${reason}`)
  return { hosts: [ProcessHostConfig.parse({ kind: 'process' })], agentVolume: undefined, planeHost: LOOPBACK }
}

async function tellProcessHost(remark: string, { progress, env }: ChoiceOptions): Promise<void> {
  const step = progress.begin('workers')
  const python = env['RUNYARD_PYTHON'] ?? (await findOnPath('python3', env))
  if (python === undefined) {
    throw new RunyardError(
      'bad_request',
      'Workers as processes need Python 3, and python3 was not found (Debian: apt-get install python3).',
    )
  }
  step.done(`processes of this machine (${remark})`)
}

/**
 * The Docker CLI's own variable, where no host is configured.
 * @throws RunyardError where it names an engine that is not on this machine: another one than the user means must not get the workers.
 */
export function socketOf(env: NodeJS.ProcessEnv): { socket?: string } {
  const named = env['DOCKER_HOST'] ?? ''
  if (named === '') return {}
  const socket = named.startsWith('unix://') ? named.slice('unix://'.length) : ''
  if (socket.startsWith('/')) return { socket }
  throw new RunyardError(
    'bad_request',
    `DOCKER_HOST names ${quoted(named)}, and Runyard uses engines of this machine alone so far: unset it, or name a socket as unix:///var/run/docker.sock.`,
  )
}
