// Which hosts there are: as configured, else the local Docker engine where its socket answers, else child processes of this machine.
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDockerHost } from '@runyard/host-docker'
import { createProcessHost, endOrphans, processHostId } from '@runyard/host-process'
import { dataDirPath, type Logger } from '@runyard/kit'
import { DockerHostConfig, engineOf, LOCAL_SOCKET, ProcessHostConfig, type Config, type HostConfig, type HostDriver } from '@runyard/schema'

export interface HostsOptions {
  readonly config: Config
  readonly instanceId: string
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
}

const ANSWER_WITHIN_MS = 2000
/** Beside this app, whether it runs from its source or from its bundle. */
const AGENT = fileURLToPath(new URL('../../agent/dist/agent.mjs', import.meta.url))

/** The same configuration with its hosts named. */
export async function withHosts(config: Config): Promise<Config> {
  return { ...config, hosts: config.hosts ?? [await defaultHost()] }
}

export async function createHosts(options: HostsOptions): Promise<readonly HostDriver[]> {
  const { hosts: configured = [] } = await withHosts(options.config)
  options.log.info({ hosts: configured }, `hosts: ${configured.map((host) => `${host.id} (${host.kind})`).join(', ')}`)
  return Promise.all(configured.map(async (host) => (host.kind === 'docker' ? dockerHost(host, options) : processHost(host, options))))
}

async function defaultHost(): Promise<HostConfig> {
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

function dockerHost(host: DockerHostConfig, { instanceId, env, log }: HostsOptions): HostDriver {
  return createDockerHost({
    label: host.id,
    connection: engineOf(host),
    instanceId,
    agentVolume: env['RUNYARD_AGENT_VOLUME'],
    log: warnTo(log),
  })
}

async function processHost(host: ProcessHostConfig, { config, instanceId, env, log }: HostsOptions): Promise<HostDriver> {
  const dataDir = dataDirPath(config.dataDir, env)
  const scratchDir = join(dataDir, 'hosts', host.id)
  await endOrphans({ scratchDir, instanceId, log })
  return createProcessHost({
    label: host.id,
    hostId: processHostId(dataDir, host.id),
    instanceId,
    scratchDir,
    agentCommand: [process.execPath, AGENT],
    pythonPath: env['RUNYARD_PYTHON'],
    log: warnTo(log),
  })
}

function warnTo(log: Logger): { warn(message: string): void } {
  return { warn: (message) => log.warn(message) }
}
