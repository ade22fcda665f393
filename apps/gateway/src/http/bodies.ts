// The one reader of request bodies. Every body is read as bytes, as Fastify's own reader does it, but a large one in turns: its chunks are read and
// joined in slices. What a route gets then is a row of KINDS.
import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify'
import { RunyardError } from '@runyard/schema'
import { askForBody } from './expect-continue.ts'
import { checkBody, parseBody } from './json-body.ts'
import { createPace, nextTurn } from './turns.ts'

/** Joined at once: takes a millisecond at most. */
const AT_ONCE_BYTES = 1024 * 1024

type Parse = (scope: FastifyInstance, request: FastifyRequest, body: Buffer) => unknown

/** How the routes of a scope get their bodies. Parsed ones are bounded in size, depth and number of values. */
const KINDS = {
  /** As they came (ADR 35); `bytesOf` reads an empty one as `{}`. */
  bytes: undefined,
  /** Parsed; an empty one is `{}`, and `__proto__` is a plain key (client-api R18). */
  json: (_scope, _request, body) => (body.length === 0 ? {} : parseBody(body)),
  /** Parsed for a Zod shape; an empty one is undefined, since clients call requests without a body JSON (sdk2-api §2). `__proto__` is refused. */
  shape: parseForShape,
} as const satisfies Record<string, Parse | undefined>

/** Sets how the routes of the scope get their bodies. Content types do not matter: the guard calls every body JSON. */
export function readBodies(scope: FastifyInstance, kind: keyof typeof KINDS): void {
  const parse: Parse | undefined = KINDS[kind]
  scope.removeAllContentTypeParsers()
  if (parse === undefined) scope.addContentTypeParser('application/json', readBody)
  else
    scope.addContentTypeParser('application/json', async (request: FastifyRequest, stream: IncomingMessage) =>
      readParsed({ scope, parse }, request, stream),
    )
}

async function readParsed(
  { scope, parse }: { readonly scope: FastifyInstance; readonly parse: Parse },
  request: FastifyRequest,
  stream: IncomingMessage,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  readBody(request, stream, (error, body) => (error === null && body !== undefined ? resolve(body) : reject(error)))
  return parse(scope, request, await promise)
}

async function parseForShape(scope: FastifyInstance, request: FastifyRequest, body: Buffer): Promise<unknown> {
  if (body.length === 0) return undefined
  await checkBody(body)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const parseJson = scope.getDefaultJsonParser('error', 'error')
  void parseJson(request, body.toString(), (error, value) => (error === null ? resolve(value) : reject(forbiddenName(body) ?? error)))
  return promise
}

/** The parser reports a name that would change a prototype like a fault of syntax. */
function forbiddenName(body: Buffer): RunyardError | undefined {
  try {
    JSON.parse(body.toString())
  } catch {
    return undefined
  }
  return new RunyardError('bad_request', 'the name "__proto__" (or "prototype" in a "constructor") is not allowed in this request body')
}

function tooLarge({ bounds }: Pick<FastifyRequest, 'bounds'>): Error {
  const setting = bounds?.bodySetting === undefined ? '' : ` (${bounds.bodySetting})`
  const message = `the request body is larger than ${bounds?.bytes ?? 0} bytes${setting}`
  return Object.assign(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE(), { message })
}

type Done = (error: Error | null, body?: Buffer) => void

function readBody(request: FastifyRequest, stream: IncomingMessage, done: Done): void {
  const mostBytes = request.bounds?.bytes ?? 0
  const declared = Number(request.headers['content-length'])
  if (declared > mostBytes) {
    done(tooLarge(request))
    return
  }
  const chunks: Buffer[] = []
  const pace = createPace(stream)
  let bytes = 0
  const stop = (): void => {
    pace.end()
    stream.off('data', take).off('end', end).off('error', fail)
  }
  const take = (chunk: Buffer): void => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= mostBytes) pace.took(chunk.length)
    else fail(tooLarge(request))
  }
  const fail = (error: Error): void => {
    stop()
    done(Object.assign(error, { statusCode: (error as { statusCode?: number }).statusCode ?? 400 }))
  }
  const end = (): void => {
    stop()
    if (declared !== bytes && !Number.isNaN(declared)) done(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH())
    else if (bytes <= AT_ONCE_BYTES) done(null, Buffer.concat(chunks, bytes))
    else void joinInTurns({ chunks, bytes }, done)
  }
  stream.on('data', take).on('end', end).on('error', fail)
  askForBody(stream)
}

async function joinInTurns({ chunks, bytes }: { chunks: readonly Buffer[]; bytes: number }, done: Done): Promise<void> {
  const body = Buffer.allocUnsafe(bytes)
  let length = 0
  let pauseAt = AT_ONCE_BYTES
  for (const chunk of chunks) {
    length += chunk.copy(body, length)
    if (length < pauseAt) continue
    pauseAt = length + AT_ONCE_BYTES
    await nextTurn()
  }
  done(null, body)
}
