// dockerode with a connection per call. Node keeps idle connections for five seconds, and we list workers every five: now and then a call
// went out on one that was just being closed, and a healthy host counted as lost. On a unix socket a new one costs next to nothing.
import { Agent } from 'node:http'
import Docker from 'dockerode'

const agent = new Agent({ keepAlive: false })

/** Variables of the Docker CLI that dockerode reads, and by which it would talk to another engine than the one that it is given. */
const REDIRECTING = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_PATH_PREFIX', 'DOCKER_CLIENT_TIMEOUT']

/** The engine of this socket, whatever the environment names. */
export function openDocker(socketPath: string, options: { readonly timeout?: number } = {}): Docker {
  // Its types leave out the agent, which it hands to node:http.
  const connection = { socketPath, agent, ...options }
  return withoutVariables(REDIRECTING, () => new Docker(connection))
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
