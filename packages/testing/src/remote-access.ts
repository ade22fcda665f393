// Access to a machine of a test: an sshd of our own with one known key, and a CA with the certificates of an engine and its client. All files are in the
// caller's directory.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsFiles } from '@runyard/schema'

export const SSHD = '/usr/sbin/sshd'
export const canRunSshd = process.getuid?.() === 0 && existsSync(SSHD) && spawnSync('ssh', ['-V']).status === 0

export interface SshAccess {
  /** Arguments of `SSHD`, which then stays in the foreground. */
  readonly sshdArguments: readonly string[]
  /** For `ssh -F`: knows the key of the machine and ours. */
  readonly config: string
}

export function prepareSsh(dir: string, { address, port }: { readonly address: string; readonly port: number }): SshAccess {
  mkdirSync('/run/sshd', { recursive: true })
  for (const name of ['host', 'user']) run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name))
  const sshd = join(dir, 'sshd.conf')
  writeLines(sshd, [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `HostKey ${join(dir, 'host')}`,
    `AuthorizedKeysFile ${join(dir, 'user.pub')}`,
    'StrictModes no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'UsePAM no',
  ])
  writeLines(join(dir, 'known'), [`[${address}]:${port} ${readFileSync(join(dir, 'host.pub'), 'utf8')}`])
  const config = join(dir, 'ssh.conf')
  writeLines(config, [
    'Host *',
    `  IdentityFile ${join(dir, 'user')}`,
    `  UserKnownHostsFile ${join(dir, 'known')}`,
    '  StrictHostKeyChecking yes',
  ])
  return { sshdArguments: ['-D', '-e', '-f', sshd], config }
}

export interface TlsAccess {
  readonly client: TlsFiles
  readonly server: TlsFiles
}

/** `address`: of the engine. */
export function prepareTls(dir: string, address: string): TlsAccess {
  const at = (name: string): string => join(dir, name)
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  run('openssl', ...request, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=ca')
  const sign = (name: string, usage: string): TlsFiles => {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-subj', `/CN=${name}`]
    run('openssl', ...request, ...files, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', usage)
    return { ca: at('ca.pem'), cert: at(`${name}.pem`), key: at(`${name}.key`) }
  }
  return { server: sign('server', `subjectAltName=IP:${address}`), client: sign('client', 'extendedKeyUsage=clientAuth') }
}

const writeLines = (path: string, lines: readonly string[]): void => writeFileSync(path, `${lines.join('\n')}\n`)

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
