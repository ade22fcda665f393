// What the gateway leaves in `<data>/tls`: its URL by TLS while it listens there, its own CA, and a bundle of the system's roots with that CA.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TlsAccess } from '../client-exports.ts'

export function tlsFiles(dataDir: string): { readonly base: string; readonly bundle: string; readonly ca: string } {
  const at = (name: string): string => join(dataDir, 'tls', name)
  return { base: at('base-url'), bundle: at('bundle.pem'), ca: at('ca.pem') }
}

/** Undefined: TLS is off. */
export async function readTls(dataDir: string): Promise<TlsAccess | undefined> {
  const { base: basePath, bundle, ca } = tlsFiles(dataDir)
  const text = await readFile(basePath, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const [base = '', kind] = text.trim().split(' ')
  return { base, authority: kind === 'own' && existsSync(bundle) ? { bundle, ca } : undefined }
}
