// For tests: artifacts as the clients make them, and the calls of a deploy.
import type { Send } from '@runyard/testing'
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'

export const FLASH_MANIFEST = { version: '1.0', project_name: 'shop', python_version: '3.12', resources: { greet: {} } }

export type ArchiveEntry = Partial<Header> & Pick<Header, 'name'> & { readonly text?: string }

/** A gzip tar of these, and of a manifest unless that is ''. */
export async function artifactOf(
  entries: readonly ArchiveEntry[],
  manifest = JSON.stringify(FLASH_MANIFEST),
): Promise<Buffer<ArrayBuffer>> {
  const archive = pack()
  for (const { text = '', ...header } of entries) archive.entry(header, text)
  if (manifest !== '') archive.entry({ name: './flash_manifest.json' }, manifest)
  archive.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return gzipSync(Buffer.concat(chunks))
}

/** `data`, or the text of the first error. */
export type Graphql = (query: string, variables?: Record<string, unknown>) => Promise<unknown>

export function createGraphql(send: Send, headers: Record<string, string> = {}): Graphql {
  return async (query, variables = {}) => {
    const { json } = await send('/graphql', { method: 'POST', body: { query, variables }, headers })
    return (json['errors'] as { message: string }[] | undefined)?.[0]?.message ?? json['data']
  }
}

export const PREPARE = `mutation PrepareArtifactUpload($input: PrepareFlashArtifactUploadInput!) {
  prepareFlashArtifactUpload(input: $input) { uploadUrl objectKey expiresAt } }`
export const FINALIZE = `mutation FinalizeArtifactUpload($input: FinalizeFlashArtifactUploadInput!) {
  finalizeFlashArtifactUpload(input: $input) { id manifest } }`

export interface Prepared {
  readonly uploadUrl: string
  readonly objectKey: string
}

/** @throws where it is refused */
export async function prepare(graphql: Graphql, flashAppId: string, tarballSize: number): Promise<Prepared> {
  const data = await graphql(PREPARE, { input: { flashAppId, tarballSize } })
  if (typeof data === 'string') throw new Error(data)
  return (data as { prepareFlashArtifactUpload: Prepared }).prepareFlashArtifactUpload
}

/** As both clients send it: without a key. */
export async function put(url: string, bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/gzip', ...headers } })
  await response.arrayBuffer()
  return response.status
}
