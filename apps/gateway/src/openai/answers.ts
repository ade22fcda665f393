// The answer to a request. Without a stream it is sent when the job has ended, however long that takes. With a stream each chunk is written as it
// comes. The status line waits for the first chunk, so that a job that fails before it is an HTTP error, as it would be without a stream; a later
// failure is one event and the end. If the wait is long, as in a cold start, the status line goes out and comments follow it, before clients and
// proxies close the connection.
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { RunyardError, type JobRecord, type JsonText } from '@runyard/schema'
import { END_OF_EVENTS, LargeValue, readChunkValues, readValue, toEvent, toPiece, toWholeAnswer, type Piece } from './value.ts'
import { failureOfEnd, failureOfValue, toFailure, type Failure } from './failure.ts'
import { followChunks, followToEnd, type FollowDeps, type Followed, type FollowNews } from './follow.ts'
import type { GatewayDeps } from '../parts/deps.ts'

const MOST_CHUNKS = 10_000
const MOST_BYTES = 64 * 1024 * 1024
const CHUNKS_PER_READ = 500
const TOO_LONG = `the answer has more than ${MOST_CHUNKS} chunks or ${MOST_BYTES} bytes; ask for it with "stream": true`

export async function answerWhole(deps: FollowDeps, followed: Followed, reply: FastifyReply): Promise<FastifyReply> {
  const end = await followToEnd(deps, followed)
  const record = end.kind === 'ended' ? end.record : undefined
  const failed = failureOfEnd(end)
  if (failed !== undefined) return sendFailure(reply, failed)
  const answer = toWholeAnswer(await readOutput(deps, followed, record))
  const failure = failureOfValue('text' in answer ? answer.text : answer.value)
  if (failure !== undefined) return sendFailure(reply, failure)
  if ('text' in answer) return reply.type(isJson(answer.text) ? 'application/json' : 'text/plain; charset=utf-8').send(answer.text)
  const { value } = answer
  return reply.type('application/json').send(value instanceof LargeValue ? value.text() : JSON.stringify(value ?? null))
}

/** A generator whose chunks are not aggregated ends with an empty list (worker-api §5.1). */
async function readOutput(deps: FollowDeps, followed: Followed, record: JobRecord | undefined): Promise<unknown> {
  const output = record?.output === undefined ? undefined : await readValue(record.output)
  if (!Array.isArray(output) || output.length > 0) return output
  const chunks = await readChunks(deps, followed)
  return chunks.length === 0 ? output : readChunkValues(chunks)
}

/** @throws RunyardError('unprocessable') rather than leave out the end of an answer */
async function readChunks({ store }: FollowDeps, { endpoint, jobId }: Followed): Promise<readonly JsonText[]> {
  const chunks: JsonText[] = []
  for (let bytes = 0; chunks.length <= MOST_CHUNKS && bytes <= MOST_BYTES;) {
    const read = await store.jobs.readChunks(endpoint.id, jobId, { from: chunks.length, limit: CHUNKS_PER_READ })
    const next = read?.chunks ?? []
    chunks.push(...next)
    bytes += next.reduce((sum, chunk) => sum + chunk.length, 0)
    if (read?.more !== true && chunks.length <= MOST_CHUNKS && bytes <= MOST_BYTES) return chunks
  }
  throw new RunyardError('unprocessable', TOO_LONG)
}

export function sendFailure(reply: FastifyReply, { httpStatus, error, retry }: Failure): FastifyReply {
  // OpenAI's clients obey it.
  if (retry === false) void reply.header('x-should-retry', 'false')
  return reply.code(httpStatus).type('application/json').send({ error })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

type StreamDeps = FollowDeps & Pick<GatewayDeps, 'config'>
type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failure'; readonly failure: Failure }
/** A failure comes last. */
type Parts = AsyncGenerator<Part, void, undefined>

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx would collect the events.
  'x-accel-buffering': 'no',
}

const COMMENT = ': waiting for a worker\n\n'

export async function answerStream(deps: StreamDeps, followed: Followed, reply: FastifyReply): Promise<FastifyReply> {
  const parts = readParts(deps, followed)
  const first = parts.next()
  if (await settlesWithin(first, silenceMs(deps))) {
    const { value } = await first
    if (value?.kind === 'failure') {
      await parts.return()
      return sendFailure(reply, value.failure)
    }
  }
  return reply.headers(HEADERS).send(Readable.from(toEventStream(deps, first, parts)))
}

async function* readParts(deps: FollowDeps, followed: Followed): Parts {
  let isEmpty = true
  let isFramed = false
  for await (const news of followChunks(deps, followed)) {
    const { text, framed, failure } = await readNews(news, isEmpty)
    isFramed ||= framed
    isEmpty &&= text === ''
    if (text !== '') yield { kind: 'text', text }
    if (failure !== undefined) {
      yield { kind: 'failure', failure }
      return
    }
  }
  if (isFramed) yield { kind: 'text', text: END_OF_EVENTS }
}

type Said = Piece & { readonly failure?: Failure | undefined }

/** The result is sent only if nothing was streamed before: that of a generator repeats its chunks. */
async function readNews(news: FollowNews, isEmpty: boolean): Promise<Said> {
  if (news.kind === 'chunks') return toSaid(await readChunkValues(news.chunks))
  const failure = failureOfEnd(news)
  if (failure !== undefined || news.kind !== 'ended' || !isEmpty) return { text: '', framed: false, failure }
  const output = news.record.output === undefined ? '' : ((await readValue(news.record.output)) ?? '')
  return toSaid(Array.isArray(output) ? output : [output])
}

/** What was yielded before a failure is sent first. */
function toSaid(chunks: readonly unknown[]): Said {
  const failures = chunks.map(failureOfValue)
  const at = failures.findIndex((failure) => failure !== undefined)
  return at === -1 ? toPiece(chunks) : { ...toPiece(chunks.slice(0, at)), failure: failures[at] }
}

async function* toEventStream(deps: StreamDeps, first: ReturnType<Parts['next']>, rest: Parts): AsyncGenerator<string, void, undefined> {
  let tail = ''
  try {
    while (!(await settlesWithin(first, silenceMs(deps)))) yield COMMENT
    for (let step = await first; step.done !== true; step = await rest.next()) {
      const text = step.value.kind === 'text' ? step.value.text : toLastEvent(tail, step.value.failure)
      yield text
      tail = (tail + text).slice(-4)
    }
  } catch (error) {
    deps.log.error({ err: error }, 'a stream of events broke')
    yield toLastEvent(tail, toFailure(503, 'the answer broke off: the gateway lost sight of the job'))
  } finally {
    await rest.return()
  }
}

const silenceMs = ({ config }: StreamDeps): number => config.holds.openaiSilenceS * 1000

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, ms, false)
  const settled = promise.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, late]).finally(() => clearTimeout(timer))
}

/** A worker may have stopped in the middle of an event: that one is ended first. */
function toLastEvent(tail: string, { error }: Failure): string {
  return (tail === '' || /\n\r?\n$/.test(tail) ? '' : '\n\n') + toEvent({ error })
}
