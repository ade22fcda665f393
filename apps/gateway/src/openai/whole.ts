// The answer to a request that does not stream: sent when the job has ended, however long that takes.
import type { FastifyReply } from 'fastify'
import type { JobRecord } from '@runyard/schema'
import { toWholeAnswer, unwrapChunk } from './answer.ts'
import { failureOfEnd, failureOfValue, type Failure } from './failure.ts'
import { followToEnd, type FollowDeps, type Followed } from './follow.ts'

const MOST_CHUNKS = 10_000

export async function answerWhole(deps: FollowDeps, followed: Followed, reply: FastifyReply): Promise<FastifyReply> {
  const end = await followToEnd(deps, followed)
  const record = end.kind === 'ended' ? end.record : undefined
  const failed = failureOfEnd(end)
  if (failed !== undefined) return sendFailure(reply, failed)
  const answer = toWholeAnswer(await readOutput(deps, followed, record))
  const failure = failureOfValue('text' in answer ? answer.text : answer.value)
  if (failure !== undefined) return sendFailure(reply, failure)
  if ('text' in answer) return reply.type(isJson(answer.text) ? 'application/json' : 'text/plain; charset=utf-8').send(answer.text)
  return reply.type('application/json').send(JSON.stringify(answer.value ?? null))
}

/** A generator whose chunks are not aggregated ends with an empty list (worker-api §5.1). */
async function readOutput({ store }: FollowDeps, { endpoint, jobId }: Followed, record: JobRecord | undefined): Promise<unknown> {
  const output = record?.output
  if (!Array.isArray(output) || output.length > 0) return output
  const read = await store.jobs.readChunks(endpoint.id, jobId, { from: 0, limit: MOST_CHUNKS })
  return read === undefined || read.chunks.length === 0 ? output : read.chunks.map(unwrapChunk)
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
