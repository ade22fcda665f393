// An engine over any kind of connection: dockerode on its socket or its port. Each call has its own connection: Node keeps idle ones for five seconds,
// and we list workers every five, so a call could use a connection that was just being closed, and a healthy host counted as lost. Fails closed: an
// unreachable engine fails the call, and TLS verifies the engine before anything is sent.
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { describeEngine, type EngineConnection } from '@runyard/schema'
import Docker from 'dockerode'
import { toRunyardError } from './docker-errors.ts'
import { openTunnel } from './ssh.ts'
import { openTls } from './tls.ts'

export type Engine = ReturnType<typeof openEngine>

/** Variables of the Docker CLI that dockerode reads, and by which it would talk to another engine than the one that it is given. */
const REDIRECTING = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_PATH_PREFIX', 'DOCKER_CLIENT_TIMEOUT']

/** Calls nothing yet: an engine that is away is found out by the first call. `sshArguments`: for tests. @throws RunyardError if a TLS file cannot be used. */
export function openEngine(connection: EngineConnection, sshArguments?: readonly string[]) {
  /** As the operator wrote it, for sentences. */
  const name = describeEngine(connection)
  /** The way over ssh; undefined: the engine is reached otherwise. */
  const tunnel = connection.kind === 'ssh' ? openTunnel(connection, { name, more: sshArguments }) : undefined
  const agent = connection.kind === 'ssh' ? tunnel?.agent : agentFor(connection)
  // dockerode formats the options of each call, with the agent and its sockets at every depth, for a log that is off.
  if (agent !== undefined) Object.assign(agent, { [inspect.custom]: () => 'Agent' })
  const reached = { socketPath: connection.kind === 'unix' ? connection.socket : '/', agent }
  return {
    connection,
    name,
    tunnel,
    /** `timeout`: how long a call may be without an answer, ms; default: no limit, because the caller has one. */
    // The types of dockerode leave out the agent, which it hands to node:http.
    docker: (options: { readonly timeout?: number } = {}): Docker =>
      withoutVariables(REDIRECTING, () => new Docker({ ...reached, ...options })),
    [Symbol.asyncDispose]: async () => tunnel?.[Symbol.asyncDispose](),
  }
}

/** Never dockerode's own host and port: by those it prints a warning of Node's about `url.parse`. */
function agentFor(connection: Exclude<EngineConnection, { kind: 'ssh' }>): Agent {
  const agent = new Agent({ keepAlive: false })
  if (connection.kind === 'unix') return agent
  const { host, port, tls } = connection
  agent.createConnection = tls === undefined ? () => connect({ host, port }) : openTls(connection, tls)
  return agent
}

/** Whether the engine runs on this machine, so that what is true here is true there. */
export function isLocal({ connection }: Pick<Engine, 'connection'>): boolean {
  return connection.kind === 'unix' || (connection.kind === 'tcp' && connection.tls === undefined)
}

/** Calls the engine, and gives its errors as one sentence: `doing` completes "Docker cannot …". */
export async function onEngine<T>(engine: Engine, doing: string, work: (docker: Docker) => Promise<T>): Promise<T> {
  try {
    return await work(engine.docker())
  } catch (error) {
    throw toRunyardError(error, { doing, engine: engine.name })
  }
}

/** Runs `work`, which must not wait for anything, in an environment without these. */
function withoutVariables<T>(names: readonly string[], work: () => T): T {
  const hidden = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  for (const [name] of hidden) delete process.env[name]
  try {
    return work()
  } finally {
    for (const [name, value] of hidden) process.env[name] = value
  }
}
