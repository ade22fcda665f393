// Reads the archive of a deployed app, a gzipped tar, entry by entry with bounded memory. The gateway has verified it before; a host that unpacks it
// trusts nothing all the same. Failure direction: an entry that is not a plain file or directory below the root ends the reading with an error.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { errorMessage, RunyardError } from '@runyard/schema'
import { extract, type Header } from 'tar-stream'

export interface ArchiveEntry {
  /** Relative, with slashes, without `.` and `..`; directories have no slash at the end. */
  readonly path: string
  readonly kind: 'file' | 'directory'
  readonly isExecutable: boolean
  /** In bytes. */
  readonly size: number
  /** To be read to the end before the next entry; what is not read is skipped. */
  readonly content: Readable
}

const KINDS: ReadonlyMap<string, ArchiveEntry['kind']> = new Map([
  ['directory', 'directory'],
  ['file', 'file'],
  ['contiguous-file', 'file'],
])

/** @throws RunyardError('unprocessable') with one sentence. An error of the source is thrown unchanged. */
export async function* readArchive(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry> {
  const entries = extract()
  let problem: unknown
  const source = Readable.from(noteFailure(bytes, (error) => (problem = error)))
  const reading = pipeline(source, createGunzip(), entries)
  reading.catch(() => undefined)
  const translate = (error: unknown): unknown => {
    if (error instanceof RunyardError || error === problem) return error
    return refused(`cannot be read: ${errorMessage(error)}`, error)
  }
  try {
    for await (const entry of entries) {
      const found = toEntry(entry.header)
      if (found !== undefined) yield { ...found, content: Readable.from(translated(entry, translate)) }
      entry.resume()
    }
    await reading
  } catch (error) {
    throw translate(error)
  } finally {
    source.destroy()
  }
}

async function* translated(chunks: AsyncIterable<unknown>, translate: (error: unknown) => unknown): AsyncGenerator {
  try {
    yield* chunks
  } catch (error) {
    throw translate(error)
  }
}

async function* noteFailure(bytes: AsyncIterable<Uint8Array>, note: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } catch (error) {
    note(error)
    throw error
  }
}

/** Undefined: the root itself. */
function toEntry({ name, type, mode, size }: Header): Omit<ArchiveEntry, 'content'> | undefined {
  const kind = KINDS.get(type ?? '')
  if (kind === undefined) throw refused(`holds ${JSON.stringify(name)}, which is neither a file nor a directory`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..') || /[\0\\]/.test(name)) {
    throw refused(`holds ${JSON.stringify(name)}, which does not lie below its root`)
  }
  if (parts.length === 0) return undefined
  return { path: parts.join('/'), kind, isExecutable: (mode & 0o111) !== 0, size }
}

function refused(why: string, cause?: unknown): RunyardError {
  return new RunyardError('unprocessable', `The archive of the app ${why}.`, { cause })
}
