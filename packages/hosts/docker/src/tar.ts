// A tar archive as one of Node's own streams, which is what dockerode takes.
import { Readable } from 'node:stream'
import { pack, type Pack } from 'tar-stream'

/** `fill` adds the entries; its failure destroys the stream with the cause. */
export function tarOf(fill: (archive: Pack) => Promise<void> | void): Readable {
  const archive = pack()
  const work = async (): Promise<void> => {
    await fill(archive)
    archive.finalize()
  }
  work().catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))))
  return Readable.from(archive)
}
