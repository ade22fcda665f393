// The kinds of hosts that there are, and how the driver of each is made from its configuration. The one place that knows them all.
import { join } from 'node:path'
import { createDockerHost, type Release } from '@runyard/host-docker'
import { createProcessHost, processHostId } from '@runyard/host-process'
import { dataDirPath } from '@runyard/kit'
import { engineOf, type Config, type HostConfig, type HostDriver, DockerHostConfig, LOCAL_SOCKET, ProcessHostConfig } from '@runyard/schema'
import root from '../../../../package.json' with { type: 'json' }
import { connect } from 'node:net'

export interface HostSettings {
  readonly config: Pick<Config, 'dataDir' | 'defaultImageBase' | 'pythons' | 'workerPlane'>
  readonly instanceId: string
  readonly env: NodeJS.ProcessEnv
  /** The checkout or release that this program belongs to. */
  readonly root: string
  /** One sentence per change in what is wrong with a host. */
  readonly log?: { warn(message: string): void } | undefined
}

/** Opens nothing: a host that is away is found out by the first call. */
export function openHost(host: HostConfig, settings: HostSettings): HostDriver {
  const { config, instanceId, env, log } = settings
  const { workerPlane } = config
  const plane = host.planeUrl === undefined ? workerPlane : { ...workerPlane, url: host.planeUrl }
  const common = { label: host.id, instanceId, plane, env, log }
  const agentDirectory = join(settings.root, 'apps', 'agent', 'dist')
  if (host.kind === 'docker') {
    const workerDockerfile = join(settings.root, 'docker', 'worker.Dockerfile')
    const release: Release = { version: root.version, agentDirectory, workerDockerfile }
    return createDockerHost({
      ...common,
      connection: engineOf(host),
      release,
      baseImage: config.defaultImageBase,
      forwardPlane: host.forwardPlane,
    })
  }
  return createProcessHost({
    ...common,
    hostId: processHostId(dataDirPath(config.dataDir, env), host.id),
    scratchDir: scratchDirOf(host, settings),
    volumesDir: join(dataDirPath(config.dataDir, env), 'volumes'),
    modelsDir: join(dataDirPath(config.dataDir, env), 'models', host.id),
    agentCommand: [process.execPath, join(agentDirectory, 'agent.mjs')],
    pythonPath: env['RUNYARD_PYTHON'],
    pythons: config.pythons,
  })
}

/** Where a process host keeps its workers' files. */
export function scratchDirOf({ id }: Pick<HostConfig, 'id'>, { config, env }: Pick<HostSettings, 'config' | 'env'>): string {
  return join(dataDirPath(config.dataDir, env), 'hosts', id)
}

const ANSWER_WITHIN_MS = 2000

/** Where no host is configured: the local Docker engine where its socket takes connections, else child processes of this machine. */
export async function findDefaultHost(): Promise<HostConfig> {
  return (await takesConnections(LOCAL_SOCKET)) ? DockerHostConfig.parse({ kind: 'docker' }) : ProcessHostConfig.parse({ kind: 'process' })
}

function takesConnections(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ path, timeout: ANSWER_WITHIN_MS })
  const settle = (answers: boolean): void => {
    socket.destroy()
    resolve(answers)
  }
  socket.once('connect', () => settle(true))
  socket.once('error', () => settle(false))
  socket.once('timeout', () => settle(false))
  return promise
}
