// The bare Fastify app that both listeners are built on. Every route has a guard. Bodies of any content type are read as JSON, `//` is tolerated in paths,
// errors are JSON. Connections stay open for longer than any client pauses between polls (client-api R3, R17, §3; worker-api §4.3).
import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from '@runyard/kit'
import { requireGuards } from './access.ts'
import { dropClaims, type IsTrusted } from './base-url.ts'
import { readBodies } from './bodies.ts'
import { answerClientError, followConnections } from './connections.ts'
import { drainUnread } from './drain-body.ts'
import { answerErrors, answerNotFound, sendError, toWireError, type PageAnswer } from './errors.ts'
import { followExpectations } from './expect-continue.ts'

/** Longer than the 75 s that proxies and SDK connection pools keep idle sockets. */
const KEEP_ALIVE_MS = 80_000
const LONGEST_SEGMENT = 512
/** Clients give up an artifact after 600 s (flash-api §4.5, sdk2-api §3.5); a request that never ends is cut off after it. */
const LONGEST_UPLOAD_MS = 610_000
const LOOK_FOR_SLOW_EVERY_MS = 5000

/** Of routes that read no body, since clients send `{}` to them, too; routes that read theirs set their own limit. */
const UNREAD_BODY_BYTES = 64 * 1024

export interface AppOptions {
  readonly log: Logger
  /** Most open connections. */
  readonly connections: number
  /** Of a request's line and headers; default: Node's 16 KiB. */
  readonly headerBytes?: number
  /** Aborts when the process is asked to stop. */
  readonly closing: AbortSignal
  /** Whether a request that asks for another protocol gets it; the others stay plain requests. Default: none does. */
  /** The route of a request that names its target by its Host, or whose path must stay as it is; undefined: its path is its route. */
  readonly targetOf?: (request: Pick<IncomingMessage, 'headers' | 'url'>) => string | undefined
  readonly upgrades?: (request: IncomingMessage) => boolean
  /** Answers paths that have no route. Default: 404. */
  readonly page?: PageAnswer
  /** The path that requests may begin with (`listen.basePath`); default: none. */
  readonly basePath?: string
  /** Whose X-Forwarded-* count (`listen.trustedProxies`); default: anybody's. */
  readonly isTrusted?: IsTrusted
}

export function createApp(options: AppOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: UNREAD_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: LONGEST_UPLOAD_MS,
    http: {
      connectionsCheckingInterval: LOOK_FOR_SLOW_EVERY_MS,
      shouldUpgradeCallback: (request) => options.upgrades?.(request) ?? false,
      ...(options.headerBytes === undefined ? {} : { maxHeaderSize: options.headerBytes }),
    },
    routerOptions: { maxParamLength: LONGEST_SEGMENT, ignoreTrailingSlash: true },
    rewriteUrl(request) {
      if (options.isTrusted !== undefined) dropClaims(request, options.isTrusted)
      return options.targetOf?.(request) ?? below(options.basePath, request).replace(DOUBLE_VERSION, '/v2/')
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      void sendError(reply, toWireError(error))
    },
  })
  requireGuards(app)
  drainUnread(app)
  readBodies(app, 'json')
  followConnections(app, { most: options.connections, closing: options.closing })
  followExpectations(app.server)
  answerErrors(app, options)
  answerNotFound(app, options.page)
  return app
}

/** What Terraform's provider asks for credentials of registries, because it appends `/v2/…` to a base in `/v2` (production §2.5). */
const DOUBLE_VERSION = /^\/v2\/v2\//

/** The path of the route. A base path is removed, and counts as one that a proxy has removed and named in X-Forwarded-Prefix. */
function below(basePath: string | undefined, request: IncomingMessage): string {
  const url = collapseSlashes(toPath(request.url ?? '/'))
  if (basePath === undefined || basePath === '') return url
  request.headers['x-forwarded-prefix'] ||= basePath
  const rest = url.startsWith(basePath) ? url.slice(basePath.length) : url
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : url
}

/** `http://host/v2/ep/run`, which clients behind a proxy send, is `/v2/ep/run` (RFC 9112 §3.2.2). */
function toPath(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '') || '/'
}

/** `/v2//ep/run?x=a//b` → `/v2/ep/run?x=a//b`: Python and JS paste base and path together without trimming (client-api R17). */
export function collapseSlashes(url: string): string {
  if (!url.includes('//')) return url
  const query = url.indexOf('?')
  if (query === -1) return url.replaceAll(/\/{2,}/g, '/')
  return url.slice(0, query).replaceAll(/\/{2,}/g, '/') + url.slice(query)
}
