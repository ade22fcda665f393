// `/v2/{endpoint}/openai/*`: any request below it becomes a job, and what the job's worker yields is the answer (client-api §5.12). Failures,
// ours included, look as OpenAI's clients read them.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { GatewayDeps } from '../parts/deps.ts'
import { apiKeyOf } from '../http/authenticate.ts'
import { answerErrors } from '../http/errors.ts'
import { bytesOf } from '../http/json-body.ts'
import { clientGone } from '../http/answer.ts'
import type { RateLimits } from '../http/rate-limit.ts'
import { endpointOf } from '../jobs/endpoint-of.ts'
import { createJobId } from '../jobs/read-submission.ts'
import { noteAccepted } from '../jobs/submit.ts'
import { OPENAI } from './failure.ts'
import { readCall } from './job-input.ts'
import { answerStream } from './stream.ts'
import { answerWhole } from './whole.ts'

/** In the job plane's scope, which asks for the key. */
export async function registerOpenai(app: FastifyInstance, deps: GatewayDeps, limited: RateLimits): Promise<void> {
  await app.register(async (scope) => {
    answerErrors(scope, { log: deps.log, dialect: OPENAI })
    const limit = limited.get('openai')
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/v2/:endpointId/openai/*',
      bodyLimit: deps.config.limits.runsyncBytes,
      exposeHeadRoute: false,
      config: limit === undefined ? {} : { limit },
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
    await deps.store.jobs.submit(endpoint.id, { id: jobId, input, sync: true, policy: {}, keyId: apiKeyOf(request).id })
    noteAccepted(deps, endpoint.id, { at, jobId })
    // What OpenAI's clients show as the request's id.
    void reply.header('x-request-id', jobId)
    const followed = { endpoint, jobId, signal }
    return stream ? answerStream(deps, followed, reply) : answerWhole(deps, followed, reply)
  }
}
