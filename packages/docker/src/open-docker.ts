// dockerode with a connection per call. Node keeps idle connections for five seconds, and we list workers every five: now and then a call went
// out on one that was just being closed, and a healthy host counted as lost. On a unix socket a new one costs nothing to speak of.
import { Agent } from 'node:http'
import Docker from 'dockerode'

const agent = new Agent({ keepAlive: false })

export function openDocker(socketPath: string, options: { readonly timeout?: number } = {}): Docker {
  // Its types leave out the agent, which it hands to node:http.
  const connection = { socketPath, agent, ...options }
  return new Docker(connection)
}
