// A real S3 server: SeaweedFS, which checks signatures, hashes and pages like S3. Its files are in a directory that is removed with it. One
// binary runs all components and starts in a few seconds.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild } from './child.ts'
import { venvPath } from './venvs.ts'
import { waitFor } from './wait.ts'

export interface S3Server {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly stop: () => Promise<void>
}

const KEYS = { accessKeyId: 'runyard-test', secretAccessKey: 'not-a-secret' }
const BUCKET = 'runyard'
const PARTS = ['master', 'volume', 'filer', 's3'] as const

export async function startS3Server(dir: string): Promise<S3Server> {
  await mkdir(dir, { recursive: true })
  const config = join(dir, 's3.json')
  await writeFile(config, JSON.stringify({ identities: [identity()] }))
  const ports: Record<string, number> = {}
  for (const part of PARTS) for (const kind of ['port', 'port.grpc']) ports[`${part}.${kind}`] = await findFreePort()
  const where = ['server', `-dir=${dir}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', '-volume.max=16', '-master.volumeSizeLimitMB=128']
  const s3 = ['-s3', `-s3.config=${config}`, '-s3.port.iceberg=0', '-s3.port.lance=0', '-s3.autoCreateBucket=false']
  const child = startChild({
    name: 'S3 server',
    command: join(venvPath('s3-server'), 'bin', 'weed'),
    args: [...where, ...s3, ...Object.entries(ports).map(([name, port]) => `-${name}=${port}`)],
  })
  const endpoint = `http://127.0.0.1:${ports['s3.port']}`
  const stop = async (): Promise<void> => {
    // Its data is not needed any more, so there is no need for an orderly shutdown, which takes ten seconds.
    child.signal('SIGKILL', 'group')
    await child.exited
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await waitFor('the S3 server to answer', () => makeBucket(endpoint, child.isRunning), { timeoutMs: 60_000, intervalMs: 100 })
  } catch (error) {
    await stop()
    throw new Error(`the S3 server did not come up:\n${child.output().slice(-2000)}`, { cause: error })
  }
  return { endpoint, bucket: BUCKET, ...KEYS, stop }
}

function identity() {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = KEYS
  return { name: 'test', credentials: [{ accessKey, secretKey }], actions: ['Admin', 'Read', 'Write', 'List'] }
}

/** Its components connect one after another; it is ready when a first object can be read back. */
async function makeBucket(endpoint: string, isRunning: () => boolean): Promise<boolean> {
  if (!isRunning()) throw new Error('it ended at once')
  const client = new AwsClient({ ...KEYS, service: 's3', region: 'us-east-1', retries: 0 })
  await client.fetch(`${endpoint}/${BUCKET}`, { method: 'PUT' })
  const object = `${endpoint}/${BUCKET}/first`
  const put = await client.fetch(object, { method: 'PUT', body: 'x' })
  await client.fetch(object, { method: 'DELETE' })
  return put.ok
}
