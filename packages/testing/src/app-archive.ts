// A small gzipped tar, as the clients upload the code of a deployed app.
import { gzipSync } from 'node:zlib'

const BLOCK = 512

export interface ArchiveFile {
  readonly text?: string
  /** Default: 0o644. */
  readonly mode?: number
  /** A symbolic link to this path. */
  readonly linkTo?: string
}

/** Path → its text, or more about it. Paths of up to 100 bytes. */
export function appArchive(files: Readonly<Record<string, string | ArchiveFile>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, given]) => {
    const file = typeof given === 'string' ? { text: given } : given
    const content = Buffer.from(file.text ?? '')
    return [headerOf(path, content.length, file), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]))
}

function headerOf(path: string, size: number, { mode = 0o644, linkTo }: ArchiveFile): Buffer {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number): number => header.write(value.toString(8).padStart(length - 1, '0'), at)
  header.write(path, 0)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  header.write(linkTo === undefined ? '0' : '2', 156)
  header.write(linkTo ?? '', 157)
  header.write('ustar\u000000', 257)
  header.fill(' ', 148, 156)
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return header
}
