// Looks into an artifact while its bytes pass: a gzip tar of files and directories below its root, with a manifest, within limits. Nothing is kept but
// the manifest. The bytes are inflated in Node's thread pool; this thread sees only the headers (ADR 63).
//
// A host unpacks what passed here, so it is strict: links, devices, names that leave the root and sparse files are refused, whatever they point to.
import { PassThrough, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { MANIFEST_FILES, readManifest } from '@runyard/core'
import { quoted, RunyardError, type AppsConfig, type StoredUpload } from '@runyard/schema'
import { extract, type Extract, type Header } from 'tar-stream'

const MANIFEST_BYTES = 4 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024

export type Finding = StoredUpload['finding']
type Limits = Pick<AppsConfig, 'unpackedBytes' | 'files'>

export type ArchiveLook = ReturnType<typeof lookIntoArchive>

class BadArchiveError extends Error {}

export function lookIntoArchive(limits: Limits) {
  const input = new PassThrough({ highWaterMark: CHUNK_BYTES })
  const finding = lookAt(input, limits).catch(toProblem)
  // Whatever still comes is thrown away.
  void finding.then(() => input.resume())
  return {
    /** Resolves when more may come. Bytes after a problem are ignored. */
    async write(chunk: Uint8Array): Promise<void> {
      if (input.destroyed || input.write(chunk)) return
      const { promise, resolve } = Promise.withResolvers<void>()
      input.once('drain', resolve).once('close', resolve)
      await Promise.race([promise, finding])
    },
    /** After the last byte. */
    end(): Promise<Finding> {
      input.end()
      return finding
    },
    /** The bytes will not end. */
    abandon: (): void => void input.destroy(),
  }
}

function toProblem(error: unknown): Finding {
  if (error instanceof BadArchiveError || error instanceof RunyardError) return { kind: 'problem', problem: error.message }
  const { code = '', message } = error as NodeJS.ErrnoException
  const what = code.startsWith('Z_') ? 'is no gzip file, or a damaged one' : `is no tar archive, or a damaged one (${message})`
  return { kind: 'problem', problem: `The artifact ${what}.` }
}

async function lookAt(input: PassThrough, limits: Limits): Promise<Finding> {
  const archive = extract()
  // Both fail with the first error of either.
  const [of] = await Promise.all([
    lookAtEntries(archive, limits).catch((error: unknown) => {
      input.destroy(error instanceof Error ? error : undefined)
      throw error
    }),
    pipeline(input, createGunzip({ chunkSize: CHUNK_BYTES }), limitBytes(limits.unpackedBytes), archive),
  ])
  if (of === undefined) throw new BadArchiveError(`The artifact has no ${Object.keys(MANIFEST_FILES).join(' or ')} in its root.`)
  return { kind: 'archive', of }
}

function limitBytes(most: number): Transform {
  let left = most
  return new Transform({
    highWaterMark: CHUNK_BYTES,
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      if (left >= 0) done(null, chunk)
      else done(new BadArchiveError(`The artifact unpacks to more than ${most} bytes (apps.unpackedBytes).`))
    },
  })
}

type Entry = Extract extends AsyncIterable<infer E> ? E : never

async function lookAtEntries(archive: Extract, { files }: Limits) {
  let count = 0
  let found: ReturnType<typeof readManifest>['kind'] | undefined
  for await (const entry of archive) {
    count += 1
    if (count > files) throw new BadArchiveError(`The artifact has more than ${files} files (apps.files).`)
    const problem = problemOf(entry.header)
    if (problem !== undefined) throw new BadArchiveError(`The artifact ${problem}.`)
    const kind = MANIFEST_FILES[entry.header.name.replace(/^\.\//u, '')]
    if (kind === undefined) entry.resume()
    else found = await readInner(entry, kind)
  }
  return found
}

function problemOf({ name, type, pax }: Header): string | undefined {
  if (type !== 'file' && type !== 'directory') return `holds ${quoted(name)}, which is a ${type}: only files and directories are allowed`
  if (isSparse(pax)) return `holds the sparse file ${quoted(name)}`
  if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..'))
    return `holds ${quoted(name)}, which leads out of its directory`
  return name.includes('\0') || !name.isWellFormed() ? `holds ${quoted(name)}, which is no name of a file` : undefined
}

function isSparse(pax: unknown): boolean {
  return Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse'))
}

async function readInner(entry: Entry, kind: string) {
  const { name, size } = entry.header
  if (size > MANIFEST_BYTES) throw new BadArchiveError(`The artifact's ${name} has ${size} bytes; at most ${MANIFEST_BYTES} are allowed.`)
  const chunks: Uint8Array[] = []
  for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk)
  const read = readManifest(parse(Buffer.concat(chunks), name))
  if (read.kind !== kind) throw new BadArchiveError(`The artifact's ${name} is no manifest of its kind.`)
  return read.kind
}

function parse(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new BadArchiveError(`The artifact's ${name} is no JSON.`)
  }
}
