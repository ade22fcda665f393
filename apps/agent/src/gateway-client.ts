// Client of the worker plane (routes of worker-api §1). Translates each response into a value for the agent's loops.
import type { JobTimings } from '@runyard/schema'
import type { HttpAnswer, HttpClient } from './http.ts'
import type { Settings } from './settings.ts'

/**
 * The gateway holds a poll or a post for at most 20 s. If it does not answer for longer, the connection is dead, e.g. after a network failure. A
 * result that is posted twice has effect once.
 */
const SILENCE_MS = 30_000

/** `raw` is the gateway's JSON, passed to the runner unparsed. */
export interface TakenJob {
  readonly id: string
  readonly raw: Buffer
  readonly format: unknown
}

export type TakeAnswer =
  | { readonly kind: 'job'; readonly job: TakenJob }
  | { readonly kind: 'none' }
  /** The gateway is overloaded, starting or unavailable. */
  | { readonly kind: 'away'; readonly why: string }
  /** The gateway no longer knows or accepts this worker. */
  | { readonly kind: 'unwelcome'; readonly status: number }

export type PostAnswer = 'accepted' | 'too-large' | { readonly rejected: number } | { readonly again: string }
/** The response to an accepted result may contain the next job (ADR 28). */
export type DoneAnswer = PostAnswer | { readonly next: TakenJob }

export interface JobResult {
  readonly jobId: string
  readonly body: Buffer
  /** Identical in each retry, so that the gateway accepts it once. */
  readonly post: string
  readonly isStream: boolean
  readonly timings: JobTimings | undefined
}

export type Gateway = ReturnType<typeof createGateway>

type Sent = Pick<JobResult, 'jobId' | 'body' | 'post'> & { readonly headers?: Record<string, string> }

export function createGateway(http: HttpClient, settings: Settings) {
  const get = (url: string, timeoutMs: number, signal: AbortSignal) => http.exchange({ method: 'GET', url, timeoutMs, signal })
  const post = async (url: string, sent: Sent, signal: AbortSignal) => {
    const headers = { 'Content-Type': 'application/json', 'X-Request-ID': sent.jobId, 'X-Runyard-Post': sent.post, ...sent.headers }
    try {
      return await http.exchange({ method: 'POST', url, headers, body: sent.body, timeoutMs: SILENCE_MS, signal })
    } catch (error) {
      return { again: reasonOf(error) }
    }
  }
  return {
    async take(signal: AbortSignal): Promise<TakeAnswer> {
      try {
        return toTakeAnswer(await get(withQuery(settings.takeUrl, 'job_in_progress=0'), SILENCE_MS, signal))
      } catch (error) {
        return { kind: 'away', why: reasonOf(error) }
      }
    },
    /** Ids of jobs to stop; undefined after an error. */
    async awaitStops(signal: AbortSignal): Promise<readonly string[] | undefined> {
      if (settings.stopUrl === undefined) return undefined
      const answer = await get(settings.stopUrl, SILENCE_MS, signal).catch(() => undefined)
      if (answer === undefined || answer.status >= 300) return undefined
      return answer.status === 204 ? [] : parseStops(answer.body)
    },
    /** `wantsNext`: asks for the next job in the response. */
    async done(result: JobResult & { readonly wantsNext: boolean }, signal: AbortSignal): Promise<DoneAnswer> {
      const url = withQuery(settings.doneUrl.replaceAll('$ID', result.jobId), `isStream=${result.isStream}`)
      const headers = {
        ...(result.timings === undefined ? {} : { 'X-Runyard-Timings': JSON.stringify(result.timings) }),
        ...(result.wantsNext ? { 'X-Runyard-Next': '1' } : {}),
      }
      const answer = await post(url, { ...result, headers }, signal)
      const next = result.wantsNext && 'status' in answer && answer.status === 200 ? parseJob(answer.body) : undefined
      return next === undefined ? toPostAnswer(answer) : { next }
    },
    async chunk(chunk: Pick<JobResult, 'jobId' | 'body' | 'post'>, signal: AbortSignal): Promise<PostAnswer> {
      if (settings.streamUrl === undefined) return 'accepted'
      return toPostAnswer(await post(withQuery(settings.streamUrl.replaceAll('$ID', chunk.jobId), 'isStream=false'), chunk, signal))
    },
    async ping(jobIds: readonly string[], signal: AbortSignal): Promise<void> {
      if (settings.pingUrl === undefined) return
      const held = jobIds.length === 0 ? '' : `job_id=${encodeURIComponent(jobIds.join(','))}&`
      const version = encodeURIComponent(`runyard-agent/${settings.version}`)
      await get(withQuery(settings.pingUrl, `${held}runpod_version=${version}`), settings.pingIntervalMs, signal)
    },
  }
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? `${error.code} ${error.message}`.trim() : error.message
}

function toTakeAnswer(answer: HttpAnswer): TakeAnswer {
  if (answer.status === 204) return { kind: 'none' }
  if (answer.status === 200) {
    const job = parseJob(answer.body)
    return job === undefined ? { kind: 'away', why: 'an answer that is not a job' } : { kind: 'job', job }
  }
  if ([401, 403, 404, 410].includes(answer.status)) return { kind: 'unwelcome', status: answer.status }
  return { kind: 'away', why: `HTTP ${answer.status}` }
}

function parseJob(raw: Buffer): TakenJob | undefined {
  const parsed = parseObject(raw)
  if (parsed === undefined || typeof parsed.id !== 'string') return undefined
  const input = parsed.input
  const format = typeof input === 'object' && input !== null && 'serialization_format' in input ? input.serialization_format : undefined
  return { id: parsed.id, raw, format }
}

function parseStops(body: Buffer): readonly string[] | undefined {
  const ids = parseObject(body)?.jobsToStop
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : undefined
}

function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function toPostAnswer(answer: HttpAnswer | { readonly again: string }): PostAnswer {
  if ('again' in answer) return answer
  if (answer.status < 300) return 'accepted'
  if (answer.status === 413) return 'too-large'
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return { again: `HTTP ${answer.status}` }
  return { rejected: answer.status }
}
