// 15 MB in and 30 MB out through a real stack with an unmodified client: once with our agent and a directory, once with a plain handler on the
// worker SDK and a bucket. Values come back identical, Redis stays small, and nothing is left when the results have expired.
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createS3BlobStore } from '@runyard/blobs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runPython } from '../harness/python.ts'
import { startS3Server, type S3Server } from '../harness/s3-server.ts'
import { startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { instanceId, openTestStore } from '../harness/store.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall } from '../suites/calls.ts'

const TWICE = `
def twice(value):
    import hashlib
    return {"twice": value + value, "arrived": hashlib.sha256(value.encode()).hexdigest()}
`
const MIB = 2 ** 20
/** More than the sum of all waits, so that a failure names the condition it waited for. */
const PATIENCE_MS = 240_000
const SETTINGS = { RUNYARD_RETENTION_SYNC_S: '25', RUNYARD_RETENTION_ASYNC_S: '25' }

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'large values in a directory', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host: 'process', settings: SETTINGS })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test('by runpod 1.12 come back identical, keep Redis small, and leave nothing behind', { timeout: PATIENCE_MS }, async () => {
    const endpoint = await stack.api.saveEndpoint({ name: 'large', idleTimeout: 30 })
    await expectRoundTrip({ stack, endpoint, call: sourceCall('twice', TWICE) }, () => filesIn(join(stack.dataDir, 'blobs')))
    expect(await filesIn(join(stack.dataDir, 'blobs'))).toEqual([])
  })
})

await suiteThatNeeds(['redis', 'venv:runpod-1.12', 'venv:s3-server'], 'large values in a bucket', () => {
  let server: S3Server
  let stack: Stack

  beforeAll(async () => {
    server = await startS3Server(await mkdtemp(join(tmpdir(), 'runyard-s3-')))
    stack = await startStack({ host: 'process', settings: { ...SETTINGS, ...s3Settings(server) } })
  })
  afterAll(async () => {
    await stack?.stop()
    await server?.stop()
  })

  test('by runpod 1.12 come back identical, keep Redis small, and leave nothing behind', { timeout: PATIENCE_MS }, async () => {
    const endpoint = await stack.api.saveEndpoint({ name: 'large' })
    // The worker is on no host, so a scaler would remove it.
    await stack.scaler.child().stop()
    await using store = await openTestStore(stack.redis.url, { retention: { asyncMs: 25_000, syncMs: 25_000 } })
    await using worker = await startSdkWorker({ stack, store, endpointId: endpoint, venv: 'runpod-1.12', kind: 'sync' })
    await expectRoundTrip({ stack, endpoint, call: {} }, () => objectsIn(server, stack))
    expect(worker.child.isRunning()).toBe(true)
    expect(await filesIn(join(stack.dataDir, 'blobs'))).toEqual([])
  })
})

function s3Settings({ endpoint, bucket, accessKeyId, secretAccessKey }: S3Server): Record<string, string> {
  return {
    RUNYARD_BLOBS_S3_ENDPOINT: endpoint,
    RUNYARD_BLOBS_S3_BUCKET: bucket,
    RUNYARD_BLOBS_S3_ACCESS_KEY_ID: accessKeyId,
    RUNYARD_BLOBS_S3_SECRET_ACCESS_KEY: secretAccessKey,
    RUNYARD_BLOBS_S3_PREFIX: 'large',
  }
}

interface RoundTrip {
  readonly stack: Stack
  readonly endpoint: string
  readonly call: unknown
}

async function expectRoundTrip({ stack, endpoint, call }: RoundTrip, blobs: () => Promise<readonly string[]>): Promise<void> {
  const args = [endpoint, JSON.stringify(call)]
  const [{ found }] = await Promise.all([
    runPython({ venv: 'runpod-1.12', program: 'large_values.py', args, env: stack.env }),
    // While the client still reads: they are removed 25 s after the end.
    waitFor('input and output to be there', async () => (await blobs()).length === 2, { timeoutMs: 120_000, intervalMs: 200 }),
  ])
  expect(found).toMatchObject({ arrived: found['sent'], returned: found['expected'] })
  expect(found['bytes']).toBeGreaterThan(30_000_000)
  expect(await peakMemory(stack)).toBeLessThan(16 * MIB)
  await waitFor('the large values to go with their job', async () => (await blobs()).length === 0, { timeoutMs: 90_000, intervalMs: 200 })
}

/** Peak memory of Redis, in bytes. */
async function peakMemory(stack: Stack): Promise<number> {
  const client = new Redis(stack.redis.url)
  try {
    return Number(/used_memory_peak:(\d+)/.exec(await client.info('memory'))?.[1])
  } finally {
    client.disconnect()
  }
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

async function objectsIn(server: S3Server, stack: Stack): Promise<readonly string[]> {
  const names: string[] = []
  const bucket = createS3BlobStore({ ...server, region: 'us-east-1', prefix: 'large', forcePathStyle: true })
  for await (const name of bucket.list((await instanceId(stack.redis.url)) ?? 'none')) names.push(name)
  return names
}
