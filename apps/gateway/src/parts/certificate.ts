// When the certificate of the TLS listener ends, from its file.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataDirPath } from '@runyard/kit'
import type { Config } from '@runyard/schema'

/** Of the TLS listener; undefined: there is none, or it cannot be read, which the listener reports itself. */
export async function certificateOf(config: Pick<Config, 'tls' | 'dataDir'>): Promise<{ path: string; expiresAt: number } | undefined> {
  if (config.tls.port === undefined) return undefined
  const path = config.tls.cert ?? join(dataDirPath(config.dataDir, process.env), 'tls', 'server.pem')
  try {
    return { path, expiresAt: new X509Certificate(await readFile(path)).validToDate.getTime() }
  } catch {
    return undefined
  }
}
