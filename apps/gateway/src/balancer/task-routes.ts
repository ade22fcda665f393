// /t/{task}-8080.proxy.runpod.net/…: the client of a task calls its runner (ADR 72, sdk2-api §4.6). The client has no key of the account, but the
// task's token, which is checked before anything is read; only `/ping` needs none. While no worker is ready the answer is 404, which the client retries;
// any 5xx would end the task.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import { open } from '../http/access.ts'
import { clientGone } from '../http/answer.ts'
import { bearerOf } from '../http/authenticate.ts'
import { isSameSecret } from '../http/same-secret.ts'
import type { Balancer } from './balancer.ts'
import { exchange } from './forward.ts'
import { takeTurn } from './rotation.ts'

const TASK_PATH = '/t/'
/** What the SDK appends to the id of the pod. */
const SUFFIX = /-\d+\.proxy\.runpod\.net$/
const METHODS = ['GET', 'POST'] as const

export async function registerTasks(app: FastifyInstance, balancer: Balancer): Promise<void> {
  await app.register(async (scope) => {
    // The body goes on as it came.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.route({
      method: [...METHODS],
      url: `${TASK_PATH}:pod/*`,
      bodyLimit: balancer.config.loadBalancing.bodyBytes,
      config: { access: open },
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const endpoint = await findTask(balancer, request)
        await answer(balancer, endpoint, { request, reply })
        return reply.sent ? reply : reply.hijack()
      },
    })
  })
}

async function findTask({ endpoints }: Balancer, { params, headers }: FastifyRequest): Promise<Endpoint> {
  const { pod, '*': operation } = params as { readonly pod: string; readonly '*': string }
  const id = pod.replace(SUFFIX, '')
  const endpoint = await endpoints.require(id).catch(() => undefined)
  if (endpoint?.task === undefined) throw new RunyardError('not_found', 'There is no such task.')
  const token = endpoint.spec.env['RUNPOD_TASK_TOKEN'] ?? ''
  if (operation !== 'ping' && !isSameSecret(bearerOf(headers.authorization) ?? '', token)) {
    throw new RunyardError('unauthorized', 'unauthorized: this is not the token of this task')
  }
  return endpoint
}

async function answer(
  balancer: Balancer,
  endpoint: Endpoint,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<void> {
  const { requestS, bodyBytes: mostBytes } = balancer.config.loadBalancing
  const wish = { endpoint, affinity: undefined, tried: new Set<string>(), deadline: Date.now(), signal: clientGone(reply) }
  const turn = await takeTurn(balancer, wish).catch(notReady)
  if (turn === undefined) return
  const { workerId } = turn
  try {
    const agent = balancer.agentOf(endpoint, workerId)
    const path = pathOf(request.raw.url ?? '/')
    // The task's own token, no key of an account.
    const { authorization } = request.headers
    const moreHeaders = authorization === undefined ? [] : ['authorization', authorization]
    const result = await exchange({
      request: request.raw,
      response: reply.raw,
      path,
      workerId,
      agent,
      mostBytes,
      mostMs: requestS * 1000,
      moreHeaders,
      isOpen: true,
    })
    if (result !== 'done') notReady()
  } finally {
    turn.end()
  }
}

function notReady(): never {
  throw new RunyardError('not_found', 'The task has no worker that is ready; try again.')
}

function pathOf(url: string): string {
  return url.slice(url.indexOf('/', TASK_PATH.length))
}
