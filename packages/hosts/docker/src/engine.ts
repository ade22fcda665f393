// An engine, however it is reached: dockerode on its socket or its port. Each call has a connection of its own: Node keeps idle ones for five seconds,
// and we list workers every five, so now and then a call went out on one that was just being closed, and a healthy host counted as lost.
// Fails closed: what cannot be reached is an error of the call, and TLS proves who the engine is before anything is sent.
import { Agent } from 'node:http'
import { describeEngine, RunyardError, type EngineConnection } from '@runyard/schema'
import Docker from 'dockerode'
import { toRunyardError } from './docker-errors.ts'

export interface Engine extends AsyncDisposable {
  readonly connection: EngineConnection
  /** As the operator wrote it, for sentences. */
  readonly name: string
  /** `timeout`: how long a call may be without an answer, ms; default: for ever, its caller bounds it. */
  docker(options?: { readonly timeout?: number }): Docker
}

/** Variables of the Docker CLI that dockerode reads, and by which it would talk to another engine than the one that it is given. */
const REDIRECTING = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_PATH_PREFIX', 'DOCKER_CLIENT_TIMEOUT']

/** Connects to nothing yet: an engine that is away is found out by the first call. */
export function openEngine(connection: EngineConnection): Engine {
  const reached = toReach(connection)
  return {
    connection,
    name: describeEngine(connection),
    // Its types leave out the agent, which it hands to node:http.
    docker: (options = {}) => withoutVariables(REDIRECTING, () => new Docker({ ...reached, ...options })),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function toReach(connection: EngineConnection): object {
  switch (connection.kind) {
    case 'unix':
      return { socketPath: connection.socket, agent: new Agent({ keepAlive: false }) }
    case 'tcp':
    case 'ssh':
      throw new RunyardError('bad_request', `Engines on other machines cannot be used yet: ${describeEngine(connection)}.`)
  }
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
