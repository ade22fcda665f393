// `runyard ca`: where the certificate of Runyard's own CA is, and the one command that makes this machine trust it. The path alone goes to stdout.
import { existsSync } from 'node:fs'
import { RunyardError } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { quotePosix } from '../client-exports.ts'
import { loadSettings } from '../settings.ts'
import { tlsFiles } from '../stack/tls-files.ts'

export async function run(context: CommandContext): Promise<number> {
  const { dataDir } = await loadSettings(context)
  const { ca } = tlsFiles(dataDir)
  if (!existsSync(ca)) {
    throw new RunyardError(
      'not_found',
      `there is no CA in ${dataDir}: set tls.port (8443, for example) and start the stack, which makes one.`,
    )
  }
  context.out.line(ca)
  context.err.line(`trust it on this machine: ${trustCommand(ca, process.platform)}`)
  return 0
}

function trustCommand(ca: string, platform: NodeJS.Platform): string {
  const file = quotePosix(ca)
  if (platform === 'darwin') return `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`
  return `sudo cp ${file} /usr/local/share/ca-certificates/runyard.crt && sudo update-ca-certificates`
}
