// Large values from end to end through HTTP, with a directory as the blob store, and what clients and workers see while it is away.
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryBlobs } from '@runyard/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { countBlobErrors } from './blobs.ts'
import type { TestGateway, TestWorker } from './testing/gateway.ts'
import { useGateways } from './testing/use-gateway.ts'

let root: string
afterAll(() => rm(root, { recursive: true, force: true }))
const startGateway = useGateways()
let gateway: TestGateway
let ep: string
let worker: TestWorker
const blobDirectory = () => join(root, 'blobs')
const LARGE = 'ü'.repeat(200_000)

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-blobs-'))
  gateway = await startGateway({ lease: { durationS: 60 }, blobs: { directory: blobDirectory() }, retention: { syncS: 5 } })
  ep = (await gateway.addEndpoint()).id
  worker = await gateway.addWorker(ep)
})

async function files(): Promise<readonly string[]> {
  const entries = await readdir(blobDirectory(), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name.split('-')[0] ?? '')
}

const run = (input: unknown, operation = 'run') => gateway.call(`/v2/${ep}/${operation}`, { method: 'POST', body: { input } })

it('carries them to the worker and back, and deletes them with their job', async () => {
  const answer = run({ LARGE }, 'runsync')
  const job = await worker.take()
  expect(job?.input).toEqual({ LARGE })
  await worker.done(job?.id ?? '', { output: [LARGE] })
  expect((await answer).json).toMatchObject({ status: 'COMPLETED', output: [LARGE] })
  expect(await files()).toEqual(expect.arrayContaining(['input', 'output']))
  await expect.poll(files, { timeout: 60_000, interval: 200 }).toEqual([])
})

it('answers 503 to large inputs while the directory is away, holds a large result, and serves everything small', async () => {
  await run('small')
  const job = await worker.take()
  const aside = join(root, 'aside')
  await rename(blobDirectory(), aside)
  await writeFile(blobDirectory(), 'in the way')

  const refused = await run(LARGE)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  expect(refused.json['error']).toMatch(/^The blob directory .* cannot be used right now: ENOTDIR\.$/)
  expect((await run('also small')).status).toBe(200)
  const done = worker.done(job?.id ?? '', { output: LARGE })
  expect((await gateway.call(`/v2/${ep}/status/${job?.id}`)).json['status']).toBe('IN_PROGRESS')

  await rm(blobDirectory())
  await rename(aside, blobDirectory())
  expect((await done).status).toBe(200)
  expect((await gateway.call(`/v2/${ep}/status/${job?.id}`)).json).toMatchObject({ status: 'COMPLETED', output: LARGE })
  const next = await worker.take()
  await worker.done(next?.id ?? '', { output: 1 })
})

it('reports in a sentence, not with a 500, that an output or an input was removed', async () => {
  await run('small')
  const job = await worker.take()
  await worker.done(job?.id ?? '', { output: LARGE })
  const { id } = (await run(LARGE)).as<{ id: string }>()
  await rm(blobDirectory(), { recursive: true })
  const outputGone = await gateway.call(`/v2/${ep}/status/${job?.id}`)
  expect(outputGone).toMatchObject({
    status: 200,
    json: { status: 'FAILED', error: 'the output of this job is missing from the blob store' },
  })
  await run('next')
  expect((await worker.take())?.input).toBe('next')
  const inputGone = await gateway.call(`/v2/${ep}/status/${id}`)
  expect(inputGone).toMatchObject({
    status: 200,
    json: { status: 'FAILED', error: 'the input of this job is missing from the blob store' },
  })
})

it('errors of the storage are counted by operation, faults of callers are not', async () => {
  const blobs = createMemoryBlobs()
  const { store, errors } = countBlobErrors(blobs)
  await store.put('a/b', Buffer.from('x'))
  await expect(store.put('../b', Buffer.from('x'))).rejects.toThrow('no name')
  blobs.fault.away = true
  await expect(store.get('a/b')).rejects.toThrow('away')
  await expect(store.put('a/b', Buffer.from('x'))).rejects.toThrow('away')
  await expect(store.stat('a/b')).rejects.toThrow('away')
  expect((['read', 'write', 'delete', 'list'] as const).map(errors)).toEqual([2, 1, 0, 0])
})
