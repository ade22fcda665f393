// Does the gateway's worker plane take connections? While it does not, silent workers and expired leases prove nothing: the plan then
// waits until the workers have had time to report again.
import { connect } from 'node:net'

export interface PlaneProbe extends Disposable {
  /** Epoch ms since when it answers; undefined: it does not. */
  upSince(): number | undefined
}

const PROBE_EVERY_MS = 2000
const ANSWER_WITHIN_MS = 1500

export function openPlaneProbe(plane: { readonly host: string; readonly port: number }): PlaneProbe {
  let upSince: number | undefined
  const probe = async (): Promise<void> => {
    upSince = (await takesConnections(plane)) ? (upSince ?? Date.now()) : undefined
  }
  const timer = setInterval(() => void probe(), PROBE_EVERY_MS)
  void probe()
  return {
    upSince: () => upSince,
    [Symbol.dispose]: () => {
      clearInterval(timer)
    },
  }
}

function takesConnections({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  // A wildcard address is one to listen on, not to connect to.
  const socket = connect({ host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port, timeout: ANSWER_WITHIN_MS })
  const settle = (isUp: boolean): void => {
    socket.destroy()
    resolve(isUp)
  }
  socket.once('connect', () => settle(true))
  socket.once('error', () => settle(false))
  socket.once('timeout', () => settle(false))
  return promise
}
