// The answer to a request that does not stream: sent when the job has ended, however long that takes.
import type { FastifyReply } from 'fastify'
import { RunyardError, type JobRecord, type JsonText } from '@runyard/schema'
import { toWholeAnswer } from './answer.ts'
import { failureOfEnd, failureOfValue, type Failure } from './failure.ts'
import { followToEnd, type FollowDeps, type Followed } from './follow.ts'
import { LargeValue, readChunkValues, readValue } from './value.ts'

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
