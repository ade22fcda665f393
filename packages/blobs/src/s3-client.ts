// Sends signed requests to one bucket with aws4fetch, and interprets the server's responses. The signature includes the body's hash, so that the
// server rejects bytes that were damaged on the way.
import { createHash } from 'node:crypto'
import { RunyardError } from '@runyard/schema'
import { AwsClient } from 'aws4fetch'
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
  /** `https://host/bucket/…` instead of `https://bucket.host/…`, as most servers other than AWS require. */
  readonly forcePathStyle: boolean
}

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer> | string
  /** Default: one minute for the whole exchange. */
  readonly signal?: AbortSignal
}

export type S3Client = ReturnType<typeof createS3Client>

/** aws4fetch retries 5xx, 429 and 503 SlowDown with increasing pauses, about a second in total. */
const RETRIES = 4
const TIMEOUT_MS = 60_000
const RETRY_AFTER_S = 5

export function createS3Client(settings: S3Settings) {
  const { accessKeyId, secretAccessKey, region, bucket } = settings
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: RETRIES })
  const base = baseUrl(settings)
  const folder = settings.prefix.replace(/^\/+|\/+$/g, '')

  const unavailable = (reason: string, cause?: unknown): RunyardError =>
    new RunyardError('store_unavailable', `The blob store (bucket ${bucket}) cannot be used right now: ${reason}.`, {
      cause,
      retryAfterS: RETRY_AFTER_S,
    })
  /** Sends a request to an object, or to the bucket if the key is empty. @throws RunyardError('store_unavailable') if there is no response. */
  const send = async (
    key: string,
    { method, query = {}, headers, body, signal = AbortSignal.timeout(TIMEOUT_MS) }: S3Request,
  ): Promise<Response> => {
    const url = new URL(key, base)
    url.search = new URLSearchParams(query).toString()
    const hash = createHash('sha256').update(body ?? '')
    const signed = { ...headers, 'x-amz-content-sha256': hash.digest('hex') }
    try {
      return await aws.fetch(url, { method, headers: signed, signal, ...(body === undefined ? {} : { body }) })
    } catch (error) {
      throw unavailable(reasonOf(error), error)
    }
  }
  /** Reads the whole body of a successful response. @throws RunyardError('store_unavailable') */
  const bodyOf = async (response: Response, alsoFine: readonly number[] = []): Promise<Uint8Array<ArrayBuffer>> => {
    if (!response.ok && !alsoFine.includes(response.status)) {
      throw unavailable(`it answered ${response.status} ${(await errorCode(response)) ?? ''}`.trimEnd())
    }
    try {
      return new Uint8Array(await response.arrayBuffer())
    } catch (error) {
      throw unavailable(reasonOf(error), error)
    }
  }
  return {
    /** The key of a blob. @throws RunyardError('bad_request') */
    keyOf: (name: string): string => (folder === '' ? checkName(name) : `${folder}/${checkName(name)}`),
    /** The name of the blob with this key. */
    nameOf: (key: string): string => (folder === '' ? key : key.slice(folder.length + 1)),
    send,
    /** The same; returns the body of a successful response. @throws RunyardError('store_unavailable') */
    ask: async (key: string, request: S3Request, alsoFine?: readonly number[]): Promise<Uint8Array<ArrayBuffer>> =>
      bodyOf(await send(key, request), alsoFine),
    bodyOf,
    unavailable,
  }
}

/** Ends with a slash. */
function baseUrl({ endpoint, region, bucket, forcePathStyle }: S3Settings): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  if (!forcePathStyle) url.hostname = `${bucket}.${url.hostname}`
  url.pathname = forcePathStyle ? `${url.pathname.replace(/\/+$/, '')}/${bucket}/` : `${url.pathname.replace(/\/+$/, '')}/`
  return url
}

/** S3's error code: `NoSuchKey`, `NoSuchBucket`, `AccessDenied`. */
export async function errorCode(response: Response): Promise<string | undefined> {
  const text = await response.text().catch(() => '')
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1]
}

export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
