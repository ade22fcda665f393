// Blobs as objects in a bucket behind S3's API: four requests, signed by aws4fetch. Each body's hash is signed with it, so that bytes
// damaged on the way are refused. S3 is strongly consistent: what was put is read and listed at once.
import { createHash } from 'node:crypto'
import { RunyardError, type BlobStore, type Bytes } from '@runyard/schema'
import { AwsClient } from 'aws4fetch'
import { XMLParser } from 'fast-xml-parser'
import { checkName } from './names.ts'

export interface S3Settings {
  readonly bucket: string
  /** Default: AWS itself in the given region. */
  readonly endpoint?: string | undefined
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Folder inside the bucket; empty = none. */
  readonly prefix: string
  /** `https://host/bucket/…` instead of `https://bucket.host/…`, which most servers beside AWS want. */
  readonly forcePathStyle: boolean
}

/** 5xx, 429 and 503 SlowDown are tried again by aws4fetch, with growing pauses: about a second in all. */
const RETRIES = 4
const TIMEOUT_MS = 60_000
const DELETES_AT_ONCE = 8
const RETRY_AFTER_S = 5

interface Listing {
  readonly ListBucketResult?: {
    readonly Contents?: readonly { readonly Key: string }[]
    readonly NextContinuationToken?: string
  }
}

type Send = (method: 'GET' | 'PUT' | 'DELETE', url: URL, body?: Bytes) => Promise<Response>

export function createS3BlobStore(settings: S3Settings): BlobStore {
  const base = baseUrl(settings)
  const folder = settings.prefix.replace(/^\/+|\/+$/g, '')
  const keyOf = (name: string): string => (folder === '' ? checkName(name) : `${folder}/${checkName(name)}`)
  const urlOf = (name: string): URL => new URL(keyOf(name), base)
  const send = createSend(settings)
  const remove = async (name: string): Promise<void> => {
    const response = await send('DELETE', urlOf(name))
    await expectOk(response, settings, [404])
  }
  return {
    async put(name, bytes) {
      await expectOk(await send('PUT', urlOf(name), bytes), settings)
    },

    async get(name) {
      const response = await send('GET', urlOf(name))
      if (response.status === 404 && (await errorCode(response.clone())) === 'NoSuchKey') {
        await response.body?.cancel()
        return undefined
      }
      return expectOk(response, settings)
    },

    async delete(names) {
      for (let from = 0; from < names.length; from += DELETES_AT_ONCE) {
        await Promise.all(names.slice(from, from + DELETES_AT_ONCE).map(remove))
      }
    },

    async *list(name) {
      let token: string | undefined
      do {
        const page = await readPage({ send, base, settings }, `${keyOf(name)}/`, token)
        for (const { Key } of page?.Contents ?? []) yield folder === '' ? Key : Key.slice(folder.length + 1)
        token = page?.NextContinuationToken
      } while (token !== undefined)
    },
  }
}

/** With a slash at its end. */
function baseUrl({ endpoint, region, bucket, forcePathStyle }: S3Settings): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  if (!forcePathStyle) url.hostname = `${bucket}.${url.hostname}`
  url.pathname = forcePathStyle ? `${url.pathname.replace(/\/+$/, '')}/${bucket}/` : `${url.pathname.replace(/\/+$/, '')}/`
  return url
}

function createSend(settings: S3Settings): Send {
  const { accessKeyId, secretAccessKey, region } = settings
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: RETRIES })
  return async (method, url, body) => {
    const hash = createHash('sha256').update(body ?? '')
    const headers = { 'x-amz-content-sha256': hash.digest('hex') }
    try {
      return await client.fetch(url, {
        method,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      throw unavailable(settings, reasonOf(error), error)
    }
  }
}

async function readPage(
  { send, base, settings }: { send: Send; base: URL; settings: S3Settings },
  prefix: string,
  token: string | undefined,
): Promise<Listing['ListBucketResult']> {
  const url = new URL(base)
  url.search = new URLSearchParams({
    'list-type': '2',
    prefix,
    ...(token === undefined ? {} : { 'continuation-token': token }),
  }).toString()
  const bytes = await expectOk(await send('GET', url), settings)
  const parser = new XMLParser({ isArray: (name) => name === 'Contents', parseTagValue: false })
  return (parser.parse(toText(bytes)) as Listing).ListBucketResult
}

function toText({ buffer, byteOffset, byteLength }: Bytes): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

/** The body, read to its end. @throws RunyardError('store_unavailable') */
async function expectOk(response: Response, settings: S3Settings, alsoFine: readonly number[] = []): Promise<Bytes> {
  if (response.ok || alsoFine.includes(response.status)) {
    try {
      return new Uint8Array(await response.arrayBuffer())
    } catch (error) {
      throw unavailable(settings, reasonOf(error), error)
    }
  }
  throw unavailable(settings, `it answered ${response.status} ${(await errorCode(response)) ?? ''}`.trimEnd(), undefined)
}

/** S3's own word for what is wrong: `NoSuchKey`, `NoSuchBucket`, `AccessDenied`. */
async function errorCode(response: Response): Promise<string | undefined> {
  const text = await response.text().catch(() => '')
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1]
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}

function unavailable({ bucket }: S3Settings, reason: string, cause: unknown): RunyardError {
  const sentence = `The blob store (bucket ${bucket}) cannot be used right now: ${reason}.`
  return new RunyardError('store_unavailable', sentence, { cause, retryAfterS: RETRY_AFTER_S })
}
