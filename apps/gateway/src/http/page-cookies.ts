// The cookie of a browser's session, and from which requests it counts (ADR 89). A browser adds a cookie to whatever asks this host for something; so the
// request must show that the page itself has sent it, which no other page can make a browser say.
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type Config } from '@runyard/schema'
import { isLoopback, isTls, ownOrigin } from './base-url.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Of a listener that browsers sign in at. */
    readonly pageCookies?: PageCookies
  }
}

export type PageCookies = ReturnType<typeof createPageCookies>

export const SESSION_COOKIE = 'runyard-session-'
const SAFE = new Set(['GET', 'HEAD'])
/** The server ends a session much earlier. */
const KEPT_S = 30 * 24 * 3600

interface Names {
  readonly instanceId: string
  readonly listen: Pick<Config['listen'], 'host' | 'names'>
  /** By which clients reach this gateway, too. */
  readonly others: readonly string[]
}

/** Cookies of one host are the same for all its ports, so the name is that of the installation. */
export function createPageCookies({ instanceId, listen, others }: Names) {
  const names = new Set([...listen.names, ...others].map((name) => name.toLowerCase()))
  const isLocal = isLoopback(listen.host)
  const nameFor = (request: FastifyRequest): string => `${isTls(request) ? '__Host-' : ''}${SESSION_COOKIE}${instanceId}`

  /** A page that gave its own name our address (DNS rebinding) names itself. */
  const checkHost = ({ hostname }: FastifyRequest): void => {
    const name = hostname.toLowerCase().replace(/^\[(.*)\]$/u, '$1')
    if (!isLocal || isLoopback(name) || names.has(name)) return
    throw new RunyardError(
      'forbidden',
      `Signing in at "${name}" is refused, because this gateway does not know that name: add it to listen.names.`,
    )
  }
  const check = (request: FastifyRequest, needsHeader: boolean): void => {
    checkHost(request)
    const { origin, 'sec-fetch-site': site, 'x-runyard': header } = request.headers
    const isOwn = site === undefined ? origin !== undefined && origin === ownOrigin(request) : site === 'same-origin'
    // Without TLS, browsers name neither with a GET of the page itself; a page of another site gets no such cookie, and cannot read the answer.
    const isSilent = site === undefined && origin === undefined && SAFE.has(request.method)
    if (!(isOwn || isSilent) || (needsHeader && header !== '1')) throw notThePage()
  }

  return {
    /** The session of a request of the page; undefined: it bears none. @throws RunyardError('forbidden') where something else than the page has sent it. */
    read(request: FastifyRequest, wanted?: 'with header'): string | undefined {
      const { cookie } = request.headers
      const name = nameFor(request)
      if (cookie === undefined || !cookie.includes(name)) return undefined
      const session = parseCookie(cookie)[name]
      if (session === undefined) return undefined
      check(request, wanted === 'with header' || !SAFE.has(request.method))
      return session
    },
    /** @throws RunyardError('forbidden') where something else than the page has sent it. */
    check: (request: FastifyRequest): void => check(request, true),
    /** Undefined: the browser is to forget it. */
    write(request: FastifyRequest, reply: FastifyReply, session: string | undefined) {
      const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: isTls(request) } as const
      const content =
        session === undefined
          ? { name: nameFor(request), value: '', maxAge: 0, ...attributes }
          : { name: nameFor(request), value: session, maxAge: KEPT_S, ...attributes }
      void reply.header('set-cookie', stringifySetCookie(content))
    },
  }
}

function notThePage(): RunyardError {
  return new RunyardError(
    'forbidden',
    'A browser’s session counts only for what the page itself sends: the same origin, and `x-runyard: 1` with what changes something. Programs use an API key.',
  )
}

/** Call it on the root, before any route. */
export function acceptSessions(app: FastifyInstance, cookies: PageCookies): void {
  app.decorate('pageCookies', cookies)
}
