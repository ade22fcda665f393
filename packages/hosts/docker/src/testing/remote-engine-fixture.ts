// Test fixture: ways to this machine's engine as if it were another machine's: an sshd of our own on loopback, and a TLS server that asks for a client certificate
// and passes everything on to the engine's socket.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { once } from 'node:events'
import { findFreePort } from '@runyard/testing/free-port'
import { prepareSsh, prepareTls, SSHD } from '@runyard/testing/remote-access'
import type { TlsFiles } from '@runyard/schema'
import { vi } from 'vitest'

export { canRunSshd } from '@runyard/testing/remote-access'

const LOOPBACK = '127.0.0.1'

/** It listens. `config`: for `ssh -F`. */
export async function startSshd(dir: string): Promise<{ readonly sshd: ChildProcess; readonly config: string; readonly port: number }> {
  const port = await findFreePort()
  const { sshdArguments, config } = prepareSsh(dir, { address: LOOPBACK, port })
  const sshd = spawn(SSHD, sshdArguments, { stdio: 'ignore' })
  await vi.waitUntil(() => listens(port), { timeout: 10_000, interval: 20 })
  return { sshd, config, port }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, LOOPBACK)
  const answer = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close').then(() => false)]).catch(() => false)
  socket.destroy()
  return answer
}

export interface TlsEngine extends AsyncDisposable {
  readonly port: number
  readonly tls: TlsFiles
}

export async function startTlsEngine(dir: string, socket: string): Promise<TlsEngine> {
  const { server: own, client: tls } = prepareTls(dir, LOOPBACK)
  const [ca, cert, key] = await Promise.all([own.ca, own.cert, own.key].map((path) => readFile(path)))
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true } as object, (client) => {
    const engine = connect(socket)
    for (const side of [client, engine]) side.on('error', () => side.destroy())
    client.pipe(engine).pipe(client)
  })
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, LOOPBACK), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    tls,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}
