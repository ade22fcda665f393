// The page (ADR 88): its files at `/assets`, and `index.html` at every address that the page has. Those addresses have no routes of their own: what the API
// has wins, and of what is left a browser gets the page, anybody else a 404 in JSON.
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError } from '@runyard/schema'
import { z } from 'zod'
import { guardWith, open } from '../http/access.ts'
import { prefixOf } from '../http/base-url.ts'
import type { PageAnswer } from '../http/errors.ts'

/** What the page has; anything below some of them. */
const PAGES =
  /^\/(?:$|(?:sign-in|start|usage|failures|logs|jobs|gpus|endpoints|settings)$|(?:jobs|gpus|hosts|endpoints|workers|settings)\/[^/]+(?:\/[^/]+)?$)/u
const API = /^\/(?:v1|v2|rest|graphql|hapi|runyard|metrics|healthz|readyz|lb|t|docs|openapi\.json|assets|flash)(?:\/|$)/u
/** Links that Runpod's tools print (flash-api §1.2), and where they lead here. */
const RUNPOD_ENDPOINT = /^\/serverless\/user\/endpoint\/([^/]+)$/u
const RUNPOD_STORAGE = '/user/storage'

/** Scripts, styles and data of its own alone; nothing inline, nothing framed. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  // No text becomes a script; the policy of this name allows the thread of previews.
  "require-trusted-types-for 'script'",
  'trusted-types runyard',
].join('; ')
const YEAR_S = 365 * 24 * 3600

/** Whether the request is for a page; the app asks it for paths without a route. */
export const answerPage: PageAnswer = (request) => {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
  const path = pathOf(request)
  const link = runpodLink(path)
  if (link !== undefined) return (reply) => reply.redirect(prefixOf(request) + link)
  if (PAGES.test(path)) return (reply) => sendPage(request, reply)
  const isBrowser = !API.test(path) && (request.headers.accept ?? '').includes('text/html')
  return isBrowser ? (reply) => sendPage(request, reply.code(404)) : undefined
}

function pathOf({ url }: FastifyRequest): string {
  const [path = '/'] = url.split('?', 1)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function runpodLink(path: string): string | undefined {
  const [, endpointId] = RUNPOD_ENDPOINT.exec(path) ?? []
  if (endpointId !== undefined) return `/endpoints/${endpointId}`
  return path === RUNPOD_STORAGE ? '/settings/volumes' : undefined
}

async function sendPage(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const html = await readPage({ base: `${prefixOf(request)}/`, path: pathOf(request) })
  return reply
    .header('content-security-policy', POLICY)
    .header('cross-origin-opener-policy', 'same-origin')
    .header('referrer-policy', 'no-referrer')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(html)
}

/** Names in `/assets` have a hash of the content, so browsers keep them for good. They need no key: they are in Runyard's source. */
export async function registerPage(app: FastifyInstance): Promise<void> {
  const assets = join(PAGE_DIR, 'assets')
  await app.register(async (scope) => {
    guardWith(scope, open)
    await scope.register(fastifyStatic, {
      root: assets,
      prefix: '/assets/',
      preCompressed: true,
      immutable: true,
      maxAge: YEAR_S * 1000,
      index: false,
      decorateReply: false,
      dotfiles: 'deny',
      setHeaders: (response) => {
        void response.header('x-content-type-options', 'nosniff')
      },
    })
  })
}

const IS_SOURCE = import.meta.url.endsWith('.ts')

/** Beside the gateway's own bundle, `apps/gateway/dist`; from source it is one step further up. */
const PAGE_DIR = fileURLToPath(new URL(IS_SOURCE ? '../../../dashboard/dist' : '../../dashboard/dist', import.meta.url))

export interface PageAddress {
  /** Begins and ends with a slash. */
  readonly base: string
  /** Without the base. */
  readonly path: string
}

/**
 * `index.html` for a page. Addresses become absolute: the page at `/jobs/1` cannot use relative ones, and its policy forbids a `<base>`. Names the files of
 * that page alone, which come with those of the start. Read for each visit: a build that replaces the files replaces their names.
 * @throws RunyardError('not_found') where nothing is built.
 */
export async function readPage({ base, path }: PageAddress, directory = PAGE_DIR): Promise<string> {
  const html = await readFile(join(directory, 'index.html'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RunyardError(
      'not_found',
      'The page is not built: `./runyard exec pnpm --filter @runyard/dashboard build` builds it. The API is here all the same.',
      { cause: error },
    )
  })
  return html
    .replace('name="runyard-base" content="/"', `name="runyard-base" content="${base}"`)
    .replace('</head>', `${await preloadsOf(path, directory)}</head>`)
    .replaceAll(/(src|href)="\.\//gu, (_all, attribute: string) => `${attribute}="${base}`)
}

const FilesOfPages = z.record(z.string(), z.array(z.string()))

/** Only sooner: a page without them asks for its files itself. */
async function preloadsOf(path: string, directory: string): Promise<string> {
  const text = await readFile(join(directory, 'pages.json'), 'utf8').catch(() => '{}')
  const files = FilesOfPages.parse(JSON.parse(text))[path] ?? []
  return files
    .map((name) => `<link rel="${name.endsWith('.css') ? 'preload" as="style' : 'modulepreload'}" crossorigin href="./${name}">`)
    .join('')
}
