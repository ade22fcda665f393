// `/v2/{endpoint}/openai/*`: each request becomes a job, and what the job's worker yields is the answer (client-api §5.12). Failures, those of the
// gateway included, have the form that OpenAI's clients read. The route in the job's input is what the client asked for, query included: the current
// worker-vllm hands it to its inner server unchanged (worker-api §14.1).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, toJson, type JsonText } from '@runyard/schema'
import { withMember } from '@runyard/schema/json-join'
import type { GatewayDeps } from '../parts/deps.ts'
import { boundedBody } from '../http/add-route.ts'
import { apiKeyOf } from '../http/authenticate.ts'
import { answerErrors } from '../http/errors.ts'
import { bytesOf, cut, outlineBody, parseMember } from '../http/json-body.ts'
import { clientGone } from '../http/answer.ts'
import type { RateLimits } from '../http/rate-limit.ts'
import { endpointOf } from '../jobs/endpoint-of.ts'
import { countedKeyOf } from '../jobs/key-limit.ts'
import { createJobId, readTraceparent } from '../jobs/read-submission.ts'
import { noteAccepted } from '../jobs/submit.ts'
import { OPENAI } from './failure.ts'
import { answerStream, answerWhole } from './answers.ts'

/** In the job plane's scope, which asks for the key. */
export async function registerOpenai(app: FastifyInstance, deps: GatewayDeps, limited: RateLimits): Promise<void> {
  await app.register(async (scope) => {
    answerErrors(scope, { log: deps.log, dialect: OPENAI })
    const limit = limited.get('openai')
    const body = boundedBody(deps.config, 'runsyncBytes')
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/v2/:endpointId/openai/*',
      ...body,
      exposeHeadRoute: false,
      config: { ...body.config, ...(limit !== undefined && { limit }) },
      handler: createOpenai(deps),
    })
  })
}

function createOpenai(deps: GatewayDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const { input, stream } = await readCall({ method: request.method, url: request.url, body: bytesOf(request) })
    const jobId = createJobId(true)
    const signal = AbortSignal.any([clientGone(reply), deps.closing])
    const at = Date.now()
    const { traceparent } = request.headers
    const submission = { id: jobId, input, sync: true, policy: {}, keyId: apiKeyOf(request).id, ...readTraceparent({ traceparent }) }
    await deps.store.jobs.submit(endpoint.id, submission, countedKeyOf(request, deps.config))
    noteAccepted(deps, endpoint.id, { at, jobId })
    // What OpenAI's clients show as the request's id.
    void reply.header('x-request-id', jobId)
    const followed = { endpoint, jobId, signal }
    return stream ? answerStream(deps, followed, reply) : answerWhole(deps, followed, reply)
  }
}

export interface OpenaiCall {
  readonly input: JsonText
  /** The client reads server-sent events. */
  readonly stream: boolean
}

const STREAM: ReadonlySet<string> = new Set(['stream'])

/** `url` starts with `/v2/<endpoint>/openai`. @throws RunyardError('bad_request') */
export async function readCall({ method, url, body }: { method: string; url: string; body: Buffer }): Promise<OpenaiCall> {
  const route = `/${url.split('/').slice(4).join('/')}`
  // Empty rather than absent: worker-sglang and others read `openai_input.get(…)` of whatever has a route.
  if (method === 'GET') return { input: toJson({ openai_route: route, openai_input: {} }), stream: false }
  const outline = await outlineBody(body, { members: STREAM })
  if (outline.kind !== 'object') throw new RunyardError('bad_request', 'the request body must be a JSON object')
  const stream = parseMember(body, outline.members.get('stream'), 'stream')
  // The string "true" makes worker-vllm's inner server stream what the worker then reads as one document.
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new RunyardError('bad_request', '"stream" must be true or false')
  }
  const given = outline.count === 0 ? undefined : cut(body, outline)
  return { input: toJobInput(method, route, given), stream: stream === true }
}

/** A filled `openai_input` means POST, an empty one GET; whatever is neither travels in worker-vllm's general form, which names the method. */
function toJobInput(method: string, route: string, given: JsonText | undefined): JsonText {
  if (given === undefined) return toJson({ route, method })
  return method === 'POST' ? withMember({ openai_route: route }, 'openai_input', given) : withMember({ route, method }, 'body', given)
}
