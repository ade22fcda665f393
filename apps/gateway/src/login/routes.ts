// GET and POST /flash/login (ADR 68). Both are open: the form bears the key.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { guardWith } from '../http/access.ts'
import { addRoute } from '../http/add-route.ts'
import { createAddressLimit } from '../http/address-limit.ts'
import { createAuthentication, type Authenticate } from '../http/authenticate.ts'
import { readBodies } from '../http/bodies.ts'
import { answerErrors, setRetryAfter, toWireError, type Failure } from '../http/errors.ts'
import type { LoginModel } from './login-model.ts'
import { decidedPage, faultPage, LOGIN_POLICY, loginPage } from './page.ts'

const FORM_BYTES = 4096
const TRIES_PER_MINUTE = 20

export interface LoginPageDeps {
  readonly store: Pick<Store, 'keys' | 'sessions'>
  readonly logins: LoginModel
  readonly log: Parameters<typeof answerErrors>[1]['log']
}

export async function registerLoginPage(app: FastifyInstance, { store, logins, log }: LoginPageDeps): Promise<void> {
  const authenticate = createAuthentication(store)
  const tries = createAddressLimit(TRIES_PER_MINUTE, 'tries of this page')
  await app.register(async (scope) => {
    answerErrors(scope, { log, special: answerFault })
    guardWith(scope, async ({ ip }) => tries.count(ip))
    readBodies(scope, 'bytes')
    addRoute(scope, {
      methods: ['GET', 'POST'],
      url: '/flash/login',
      bodyLimit: FORM_BYTES,
      handler: async ({ method, query, body }, reply) => {
        if (method === 'POST')
          return decide({ logins, authenticate }, new URLSearchParams(Buffer.isBuffer(body) ? body.toString() : ''), reply)
        const { request: id } = query as { readonly request?: string | readonly string[] }
        const found = await logins.find(typeof id === 'string' ? id : '')
        return sendPage(reply.code(found === undefined ? 404 : 200), loginPage(found, Date.now()))
      },
    })
  })
}

async function decide(
  { logins, authenticate }: { readonly logins: LoginModel; readonly authenticate: Authenticate },
  form: URLSearchParams,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const id = form.get('request') ?? ''
  const isApproved = form.get('verdict') === 'approve'
  try {
    const key = await authenticate({ headers: { authorization: `Bearer ${form.get('key') ?? ''}` } })
    await logins.decide(id, key, isApproved)
    return await sendPage(reply, decidedPage(isApproved))
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    const fault = error.code === 'unauthorized' ? 'This is no API key of this Runyard.' : error.message
    return sendPage(reply.code(toWireError(error).httpStatus), loginPage(await logins.find(id), Date.now(), fault))
  }
}

function answerFault({ wire, reply }: Failure): FastifyReply {
  setRetryAfter(reply, wire)
  return sendPage(reply.code(wire.httpStatus), faultPage(wire.sentence))
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .header('content-security-policy', LOGIN_POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(html)
}
