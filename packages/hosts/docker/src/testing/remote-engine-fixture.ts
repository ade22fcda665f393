// Test fixture: ways to this machine's engine as if it were another machine's: an sshd of our own on loopback, and a TLS server that asks for a client certificate
// and passes everything on to the engine's socket.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { once } from 'node:events'
import { findFreePort } from '@runyard/testing/free-port'
import type { TlsFiles } from '@runyard/schema'

export const SSHD = '/usr/sbin/sshd'
export const canRunSshd = process.getuid?.() === 0 && existsSync(SSHD) && spawnSync('ssh', ['-V']).status === 0

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

/** `config`: for `ssh -F`. */
export async function startSshd(dir: string): Promise<{ readonly sshd: ChildProcess; readonly config: string; readonly port: number }> {
  const port = await findFreePort()
  await mkdir('/run/sshd', { recursive: true })
  for (const name of ['host', 'user']) run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name))
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(dir, 'host')}`,
    `AuthorizedKeysFile ${join(dir, 'user.pub')}`,
  ]
  await writeFile(
    join(dir, 'sshd.conf'),
    [...settings, 'StrictModes no', 'PasswordAuthentication no', 'PermitRootLogin yes', 'UsePAM no', ''].join('\n'),
  )
  await writeFile(join(dir, 'known'), `[127.0.0.1]:${port} ${await readFile(join(dir, 'host.pub'), 'utf8')}`)
  const config = join(dir, 'ssh.conf')
  await writeFile(
    config,
    `Host *\n  IdentityFile ${join(dir, 'user')}\n  UserKnownHostsFile ${join(dir, 'known')}\n  StrictHostKeyChecking yes\n`,
  )
  const sshd = spawn(SSHD, ['-D', '-e', '-f', join(dir, 'sshd.conf')], { stdio: 'ignore' })
  return { sshd, config, port }
}

export interface TlsEngine extends AsyncDisposable {
  readonly port: number
  readonly tls: TlsFiles
}

export async function startTlsEngine(dir: string, socket: string): Promise<TlsEngine> {
  const at = (name: string): string => join(dir, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  run('openssl', 'req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=ca', '-days', '2')
  for (const [name, usage] of [
    ['server', 'subjectAltName=IP:127.0.0.1'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', usage]
    run(
      'openssl',
      'req',
      '-x509',
      ...key,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.pem`),
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
      ...signed,
    )
  }
  const [ca, cert, own] = await Promise.all(['ca.pem', 'server.pem', 'server.key'].map((name) => readFile(at(name))))
  const server = createServer({ ca, cert, key: own, requestCert: true, rejectUnauthorized: true } as object, (client) => {
    const engine = connect(socket)
    for (const side of [client, engine]) side.on('error', () => side.destroy())
    client.pipe(engine).pipe(client)
  })
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    tls: { ca: at('ca.pem'), cert: at('client.pem'), key: at('client.key') },
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}
