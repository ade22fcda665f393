import { statfs } from 'node:fs/promises'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { createDiskSpace, readDf } from './disk-space.ts'
import { openEngine } from './engine.ts'
import { ensureDefaultImage } from './testing/default-image.ts'

const SOCKET = '/var/run/docker.sock'

test.each([
  [
    'Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 1000 400 600 40% /\n',
    { totalBytes: 1_024_000, freeBytes: 614_400 },
  ],
  [
    'Filesystem 1024-blocks Used Available Capacity Mounted on\r\n/dev/a 10 4 6 40% /var/lib/docker',
    { totalBytes: 10_240, freeBytes: 6144 },
  ],
  ['df: /nowhere: No such file or directory', undefined],
  ['', undefined],
])('df that prints %j says %j', (printed, sizes) => {
  expect(readDf(printed)).toEqual(sizes)
})

describe('the disk of an engine', () => {
  beforeAll(ensureDefaultImage, 600_000)

  it('is that of its data directory, if the engine runs here', async () => {
    await using engine = openEngine({ kind: 'unix', socket: SOCKET })
    const found = await createDiskSpace(engine)()
    if (found === undefined) throw new Error('the disk of the local engine is not known')
    expect(found.path).toMatch(/^\//)
    const { blocks, bsize } = await statfs(found.path)
    expect(found.totalBytes).toBe(blocks * bsize)
    expect(found.freeBytes).toBeLessThanOrEqual(found.totalBytes)
  })

  it('is measured by a container where no other way leads there', async () => {
    await using engine = openEngine({ kind: 'unix', socket: SOCKET })
    const here = await createDiskSpace(engine)()
    const connection = { kind: 'tcp', host: 'elsewhere', port: 2376, tls: { ca: '', cert: '', key: '' } } as const
    const found = await createDiskSpace({ ...engine, connection })()
    expect(found?.totalBytes).toBe(here?.totalBytes)
  })
})
