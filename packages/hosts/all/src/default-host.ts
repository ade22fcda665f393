// Where no host is configured: the local Docker engine where its socket takes connections, else child processes of this machine.
import { connect } from 'node:net'
import { DockerHostConfig, LOCAL_SOCKET, ProcessHostConfig, type HostConfig } from '@runyard/schema'

const ANSWER_WITHIN_MS = 2000

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
