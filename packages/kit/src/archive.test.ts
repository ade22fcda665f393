import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { readArchive } from './archive.ts'

function archiveOf(
  entries: readonly (Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly text?: string })[],
): AsyncIterable<Uint8Array> {
  const archive = pack()
  for (const { text: content = '', ...header } of entries) archive.entry(header, content)
  archive.finalize()
  return Readable.from(archive).pipe(createGzip())
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for await (const { path, kind, isExecutable, content } of readArchive(bytes)) {
    found.push(kind === 'file' ? [path, isExecutable, await text(content)] : path)
  }
  return found
}

describe('an archive of an app', () => {
  it('is read entry by entry', async () => {
    const bytes = archiveOf([
      { name: './', type: 'directory' },
      { name: './pkg/', type: 'directory' },
      { name: './pkg/run.sh', mode: 0o755, text: 'echo' },
      { name: `deep/${'x'.repeat(200)}/a.py`, text: 'a = 1' },
    ])
    expect(await readAll(bytes)).toEqual(['pkg', ['pkg/run.sh', true, 'echo'], [`deep/${'x'.repeat(200)}/a.py`, false, 'a = 1']])
  })

  it.for([
    [{ name: 'link', type: 'symlink', linkname: '/etc/passwd' }, /"link", which is neither a file nor a directory/],
    [{ name: 'hard', type: 'link', linkname: 'a.py' }, /"hard", which is neither/],
    [{ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }, /"null", which is neither/],
    [{ name: 'pipe', type: 'fifo' }, /"pipe", which is neither/],
    [{ name: '../out.py' }, /"\.\.\/out.py", which does not lie below its root/],
    [{ name: 'a/../../out.py' }, /does not lie below its root/],
    [{ name: '/etc/cron.d/x' }, /does not lie below its root/],
  ] as const)('is refused with the entry %j', async ([header, sentence]) => {
    await expect(readAll(archiveOf([header]))).rejects.toThrow(sentence)
  })

  it('is refused when it is no archive, or ends early', async () => {
    await expect(readAll(Readable.from([Buffer.from('no archive')]))).rejects.toThrow(/The archive of the app cannot be read/)
    const whole: Buffer[] = []
    for await (const chunk of archiveOf([{ name: 'a.bin', text: 'x'.repeat(1_000_000) }])) whole.push(Buffer.from(chunk))
    const cut = Buffer.concat(whole)
    await expect(readAll(Readable.from([cut.subarray(0, cut.length / 2)]))).rejects.toThrow(/cannot be read/)
  })

  it('fails with the error of its source, unchanged', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(0)
      throw new TypeError('the store is away')
    }
    await expect(readAll(failing())).rejects.toThrow(TypeError)
  })
})
