// One POST to a receiver, bounded in time. The name is resolved once and the connection goes to an address that was checked, so a name
// that means something else a moment later gains nothing; no connection is reused, no redirect followed; what is answered is thrown away.
import type { LookupAddress } from 'node:dns'
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Resolve } from './name-lookup.ts'
import { findTarget, type IsAllowed } from './target.ts'

export interface Post {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export type SendResult =
  | { readonly kind: 'answered'; readonly status: number }
  /** The receiver's name means an address that is not allowed. */
  | { readonly kind: 'refused'; readonly address: string }
  | { readonly kind: 'failed'; readonly error: string }

export interface SendOptions {
  readonly isAllowed: IsAllowed
  readonly resolve: Resolve
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

const MOST_ANSWER_BYTES = 64 * 1024

/** Never throws: whatever goes wrong is a result. */
export async function sendWebhook(post: Post, options: SendOptions): Promise<SendResult> {
  const { signal } = options
  try {
    const target = await unlessAborted(findTarget(post.url, options), signal)
    if (target.kind === 'refused') return target
    return { kind: 'answered', status: await exchange(post, target.addresses, signal) }
  } catch (error) {
    return { kind: 'failed', error: signal.aborted ? 'no answer in time' : describe(error) }
  }
}

async function exchange(post: Post, addresses: readonly LookupAddress[], signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = { ...post.headers, 'content-length': Buffer.byteLength(post.body) }
  const options: RequestOptions = { method: 'POST', headers, agent: false, lookup: lookupAmong(addresses), signal }
  const request = (post.url.protocol === 'https:' ? requestHttps : requestHttp)(post.url, options)
  request.on('error', reject)
  // Whatever else ends it, such as a switch of protocols.
  request.once('close', () => reject(new Error('the connection was closed without an answer')))
  request.once('response', (response) => {
    resolve(discard(response).then(() => response.statusCode ?? 0))
  })
  request.end(post.body)
  return promise
}

/** Gives the connection what was resolved and checked; it asks either for all addresses or for one. */
function lookupAmong(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, { all }, done) => {
    const [first] = addresses
    if (all === true) done(null, [...addresses])
    else if (first === undefined) done(new Error('the name has no address'), '')
    else done(null, first.address, first.family)
  }
}

/** A receiver that hangs up at once would see a reset while it still writes. It may write for as long as the attempt lasts. */
async function discard(response: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MOST_ANSWER_BYTES) response.destroy()
  })
  response.on('error', () => undefined)
  response.once('close', () => resolve())
  await promise
}

/** For what cannot be interrupted, such as the lookup of a name: it is waited for no longer. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  return error instanceof Error ? error.message || error.name : String(error)
}
