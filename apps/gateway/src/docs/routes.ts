// `/openapi.json` and `/docs`, the page that shows it (ADR 47). Both need no key: they say what Runyard's source says, nothing of this
// installation, and a browser that opens a page cannot send one. The page loads nothing from elsewhere.
import { readFile } from 'node:fs/promises'
import { describeApi, describeOperation, type DescribedOperation } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import type { FastifyInstance } from 'fastify'
import { open } from '../http/access.ts'
import { unreachable } from '../http/add-route.ts'
import { nextTurn } from '../http/turns.ts'

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runyard API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="reader"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reader', deepLinking: true, docExpansion: 'none', tryItOutEnabled: true, validatorUrl: null })
`
/** Swagger UI writes style elements and draws its icons from data URLs. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const KEPT_S = 3600
const FILES: Readonly<Record<string, { readonly type: string; readonly read: () => Promise<string> | string }>> = {
  'start.js': { type: 'text/javascript', read: () => START },
  'swagger-ui-bundle.js': { type: 'text/javascript', read: () => readAt(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')) },
  'swagger-ui.css': { type: 'text/css', read: () => readAt(import.meta.resolve('swagger-ui-dist/swagger-ui.css')) },
}

/** The keys of the routes that are registered from now on, without those that refuse every request. */
export function followRoutes(app: FastifyInstance): readonly string[] {
  const keys: string[] = []
  app.addHook('onRoute', ({ method, url, handler }) => {
    if (handler === unreachable) return
    for (const one of [method].flat()) if (one !== 'HEAD' && one !== 'OPTIONS') keys.push(`${one} ${url}`)
  })
  return keys
}

interface Served {
  /** From `followRoutes`, read when the document is first asked for. */
  readonly routes: readonly string[]
  readonly version: string
}

export function registerDocs(app: FastifyInstance, served: Served): void {
  const config = { access: open }
  let document: Promise<string> | undefined
  app.get('/openapi.json', { config }, async (_request, reply) => reply.type('application/json').send(await (document ??= write(served))))
  app.get('/docs', { config }, (_request, reply) =>
    reply
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer')
      .header('x-content-type-options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(PAGE),
  )
  app.get('/docs/:file', { config }, async (request, reply) => {
    const { file } = request.params as { readonly file: string }
    const found = Object.hasOwn(FILES, file) ? FILES[file] : undefined
    if (found === undefined) throw new RunyardError('not_found', `there is no GET /docs/${file} here`)
    return reply
      .header('cache-control', `public, max-age=${KEPT_S}`)
      .header('x-content-type-options', 'nosniff')
      .type(`${found.type}; charset=utf-8`)
      .send(await found.read())
  })
}

/** In turns: all operations at once would hold the thread for a tenth of a second. */
async function write({ routes, version }: Served): Promise<string> {
  const operations: DescribedOperation[] = []
  for (const key of routes) {
    const described = describeOperation(key)
    if (described !== undefined) operations.push(described)
    await nextTurn()
  }
  return JSON.stringify(describeApi(operations, version))
}

function readAt(url: string): Promise<string> {
  return readFile(new URL(url), 'utf8')
}
