// The answer to a request that streams: each chunk is written as it comes. The status line waits for the first one, so that a job which
// fails before it has said anything is an HTTP error, as it would be without a stream; later it is one event and the end.
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { END_OF_EVENTS, toEvent, toPiece, unwrapChunk, type Piece } from './answer.ts'
import { failureOfEnd, failureOfValue, toFailure, type Failure } from './failure.ts'
import { followChunks, type FollowDeps, type FollowNews, type Followed } from './follow.ts'
import { sendFailure } from './whole.ts'

type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failure'; readonly failure: Failure }
/** A failure comes last. */
type Parts = AsyncGenerator<Part, void, undefined>

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx would collect the events.
  'x-accel-buffering': 'no',
}

export async function answerStream(deps: FollowDeps, followed: Followed, reply: FastifyReply): Promise<FastifyReply> {
  const parts = readParts(deps, followed)
  const step = await parts.next()
  const first: Part = step.done === true ? { kind: 'text', text: '' } : step.value
  if (first.kind === 'text') return reply.headers(HEADERS).send(Readable.from(toEventStream(deps, first.text, parts)))
  await parts.return()
  return sendFailure(reply, first.failure)
}

async function* readParts(deps: FollowDeps, followed: Followed): Parts {
  let isEmpty = true
  let isFramed = false
  for await (const news of followChunks(deps, followed)) {
    const { text, framed, failure } = read(news, isEmpty)
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
function read(news: FollowNews, isEmpty: boolean): Told {
  if (news.kind === 'chunks') return toTold(news.chunks.map(unwrapChunk))
  const failure = failureOfEnd(news)
  if (failure !== undefined || news.kind !== 'ended' || !isEmpty) return { text: '', framed: false, failure }
  const output = news.record.output ?? ''
  return toTold(Array.isArray(output) ? output : [output])
}

/** What was said before a failure is told first. */
function toTold(chunks: readonly unknown[]): Told {
  const failures = chunks.map(failureOfValue)
  const at = failures.findIndex((failure) => failure !== undefined)
  return at === -1 ? toPiece(chunks) : { ...toPiece(chunks.slice(0, at)), failure: failures[at] }
}

async function* toEventStream(deps: FollowDeps, first: string, rest: Parts): AsyncGenerator<string, void, undefined> {
  let tail = first
  yield first
  try {
    for await (const part of rest) {
      const text = part.kind === 'text' ? part.text : toLastEvent(tail, part.failure)
      yield text
      tail = (tail + text).slice(-4)
    }
  } catch (error) {
    deps.log.error({ err: error }, 'a stream of events broke')
    yield toLastEvent(tail, toFailure(503, 'the answer broke off: the gateway lost sight of the job'))
  }
}

/** A worker may have stopped in the middle of an event: that one is ended first. */
function toLastEvent(tail: string, { error }: Failure): string {
  return (/\n\r?\n$/.test(tail) ? '' : '\n\n') + toEvent({ error })
}
