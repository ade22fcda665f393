// The answer to a request that streams: each chunk is written as it comes. The status line waits for the first one, so that a job which
// fails before it has said anything is an HTTP error, as it would be without a stream; later it is one event and the end. Where the wait
// is long, as in a cold start, the status line goes out and comments follow it, before clients and proxies lose patience.
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { GatewayDeps } from '../parts/deps.ts'
import { END_OF_EVENTS, toEvent, toPiece, type Piece } from './answer.ts'
import { failureOfEnd, failureOfValue, toFailure, type Failure } from './failure.ts'
import { followChunks, type FollowDeps, type FollowNews, type Followed } from './follow.ts'
import { readChunkValues, readValue } from './value.ts'
import { sendFailure } from './whole.ts'

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
    const { text, framed, failure } = await read(news, isEmpty)
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

type Told = Piece & { readonly failure?: Failure | undefined }

/** Only what has streamed nothing is told by its result: that of a generator repeats its chunks. */
async function read(news: FollowNews, isEmpty: boolean): Promise<Told> {
  if (news.kind === 'chunks') return toTold(await readChunkValues(news.chunks))
  const failure = failureOfEnd(news)
  if (failure !== undefined || news.kind !== 'ended' || !isEmpty) return { text: '', framed: false, failure }
  const output = news.record.output === undefined ? '' : ((await readValue(news.record.output)) ?? '')
  return toTold(Array.isArray(output) ? output : [output])
}

/** What was said before a failure is told first. */
function toTold(chunks: readonly unknown[]): Told {
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
