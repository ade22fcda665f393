// An artifact stays while something holds it, and goes a day later; its sweep and that of jobs' values do not touch each other's.
import { createMemoryBlobs } from '@runyard/testing'
import { describe, expect, test } from 'vitest'
import { submission, useStores } from '../testing/test-store.ts'
import { ARTIFACT_GRACE_MS } from './artifacts.ts'

const stores = useStores()
const EP = 'ep-1'
const TARBALL = Buffer.from('a tarball')
const LIMITS = { maxBytes: 100 }
const ANY_ID = '00000000-0000-4000-8000-000000000000'
/** When what was let go until now is swept. */
const tomorrow = (): number => Date.now() + ARTIFACT_GRACE_MS + 1000

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield TARBALL
}

async function open(memory = createMemoryBlobs()) {
  const store = await stores.open({ blobs: { store: memory, thresholdBytes: 100 } })
  const read = async (id: string): Promise<string | undefined> => {
    const reader = await store.artifacts.read(id)
    if (reader === undefined) return undefined
    const chunks: Uint8Array[] = []
    for await (const chunk of reader.bytes) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  return { ...store, memory, read }
}

test('an artifact is read as it was written, whole or in part, by any process', async () => {
  const { artifacts, memory } = await open()
  const { id, ...written } = await artifacts.write(bytes(), { ...LIMITS, size: TARBALL.length })
  expect(written).toEqual({ size: TARBALL.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), writtenAt: expect.any(Number) })
  const other = await open(memory)
  expect(await other.artifacts.get(id)).toEqual({ id, ...written })
  expect(await other.read(id)).toBe('a tarball')
  expect((await other.artifacts.read(id, { from: 2, to: 5 }))?.range).toEqual({ from: 2, to: 5 })
})

test('an unknown artifact is not there, and cannot be held', async () => {
  const { artifacts } = await open()
  expect([await artifacts.get(ANY_ID), await artifacts.read(ANY_ID)]).toEqual([undefined, undefined])
  expect(await artifacts.hold({ id: ANY_ID, holder: 'build-1' })).toBe(false)
  await artifacts.release({ id: ANY_ID, holder: 'build-1' })
  expect(await artifacts.sweepBlobs(tomorrow())).toBe(0)
})

test('an upload that breaks off or is too large leaves nothing', async () => {
  const { artifacts, memory } = await open()
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield TARBALL
    throw Object.assign(new Error('the client went away'), { code: 'ECONNRESET' })
  }
  await expect(artifacts.write(broken(), LIMITS)).rejects.toThrow('the client went away')
  await expect(artifacts.write(bytes(), { maxBytes: 3 })).rejects.toMatchObject({ code: 'payload_too_large' })
  expect(memory.blobs.size).toBe(0)
  await artifacts.sweepBlobs(tomorrow())
  expect(await stores.raw().exists(`${stores.prefix()}:{@}:artifact-list`)).toBe(0)
})

describe('an artifact', () => {
  test('that nothing holds goes a day after its upload, and cannot be held any more', async () => {
    const { artifacts, memory } = await open()
    const { id } = await artifacts.write(bytes(), LIMITS)
    expect(await artifacts.sweepBlobs(Date.now() + ARTIFACT_GRACE_MS - 60_000)).toBe(0)
    expect(await artifacts.sweepBlobs(tomorrow())).toBe(1)
    expect([memory.blobs.size, await artifacts.get(id), await artifacts.hold({ id, holder: 'build-1' })]).toEqual([0, undefined, false])
    expect(await stores.raw().keys(`${stores.prefix()}:{@}:artifact*`)).toEqual([])
  })

  test('stays while any holder holds it, and a day longer', async () => {
    const { artifacts, read } = await open()
    const { id } = await artifacts.write(bytes(), LIMITS)
    for (const holder of ['build-1', 'build-1', 'build-2']) expect(await artifacts.hold({ id, holder })).toBe(true)
    await artifacts.release({ id, holder: 'build-1' })
    expect(await artifacts.sweepBlobs(tomorrow() + 30 * ARTIFACT_GRACE_MS)).toBe(0)
    await artifacts.release({ id, holder: 'build-2' })
    expect(await artifacts.sweepBlobs(Date.now() + ARTIFACT_GRACE_MS - 60_000)).toBe(0)
    expect(await read(id)).toBe('a tarball')
    expect(await artifacts.sweepBlobs(tomorrow())).toBe(1)
  })

  test('is not deleted by a sweep that looks while it is being held', async () => {
    const { artifacts, memory, read } = await open()
    const { id } = await artifacts.write(bytes(), LIMITS)
    const held: boolean[] = []
    memory.fault.beforeList = async () => void held.push(await artifacts.hold({ id, holder: 'build-1' }))
    await artifacts.sweepBlobs(tomorrow())
    // Either it was held or it is gone: here the sweep came first.
    expect([held, await read(id)]).toEqual([[false], undefined])
  })

  test('whose upload ends after the sweep gave it up is refused, and nothing of it stays', async () => {
    const { artifacts, memory } = await open()
    memory.fault.afterPut = async () => void (await artifacts.sweepBlobs(tomorrow()))
    await expect(artifacts.write(bytes(), LIMITS)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(memory.blobs.size).toBe(0)
  })
})

describe('families', () => {
  test('are swept and adopted apart', async () => {
    const { artifacts, jobs, memory } = await open()
    const { id } = await artifacts.write(bytes(), LIMITS)
    await artifacts.hold({ id, holder: 'build-1' })
    await jobs.submit(EP, submission('a', { input: 'x'.repeat(500) }))
    await stores.raw().del(`${stores.prefix()}:{@}:artifact-list`, `${stores.prefix()}:{@}:blobs`)
    expect([await artifacts.adoptBlobs(Date.now()), await jobs.adoptBlobs(Date.now())]).toEqual([1, 1])
    expect(await stores.raw().keys(`${stores.prefix()}:{@}:artifact-list`)).toHaveLength(1)
    await jobs.sweepExpired(EP, Date.now() + 48 * 3600 * 1000)
    expect([await artifacts.sweepBlobs(tomorrow() * 2), await jobs.sweepBlobs(tomorrow())]).toEqual([0, 1])
    expect([...memory.blobs.keys()]).toEqual([expect.stringMatching(/^artifacts\/[0-9a-f]{12}\/[0-9a-f-]{36}\/file$/)])
  })

  test('of a job keep the names that they had before there were families', async () => {
    const { jobs, memory, instance } = await open()
    await jobs.submit(EP, submission('job-1', { input: 'x'.repeat(500) }))
    const { id } = await instance()
    expect([...memory.blobs.keys()]).toEqual([expect.stringMatching(new RegExp(`^${id}/${EP}/jo/job-1/input-[\\w-]{12}$`))])
  })

  test('need a blob store', async () => {
    const { artifacts } = await stores.open()
    await expect(artifacts.write(bytes(), LIMITS)).rejects.toThrow('This process was opened without a blob store.')
    expect([await artifacts.sweepBlobs(Date.now()), await artifacts.adoptBlobs(Date.now())]).toEqual([0, 0])
  })
})
