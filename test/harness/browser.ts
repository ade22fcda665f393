// A real browser with a page that loads `runpod-sdk` from npm. One server, two origins: `localhost` and `127.0.0.1` are different origins, and
// because of the port both differ from the gateway's.
import { createHash, X509Certificate } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { rolldown, type Plugin } from 'rolldown'
import { findOnPath } from './child.ts'

export type SdkMethod = 'run' | 'runSync' | 'status' | 'stream' | 'health' | 'cancel'

export interface SdkTarget {
  readonly key: string
  readonly baseUrl: string
  readonly endpoint: string
}

export interface SdkPage {
  /** Returns the method's result in the page; for a stream, its `chunks`. @throws what it throws there. */
  readonly call: (target: SdkTarget, method: SdkMethod, ...args: readonly unknown[]) => Promise<Record<string, unknown>>
  /** The messages in the page's console. */
  readonly console: readonly string[]
}

export interface SdkSite extends AsyncDisposable {
  readonly origin: string
  readonly otherOrigin: string
  readonly open: (origin: string) => Promise<SdkPage>
}

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
import runpodSdk from '/sdk.js'
globalThis.runpodSdk = runpodSdk
</script>`
/** Leads the browser to this machine, as the owner of a name can arrange. */
export const OTHER_NAME = 'rebound.test'
const FLAGS = [
  `--host-resolver-rules=MAP ${OTHER_NAME} 127.0.0.1`,
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** `authority`: a certificate (PEM) whose signatures the browser accepts beside those of its own authorities. */
export async function openBrowser(scope: AsyncDisposableStack, authority?: string): Promise<Browser> {
  const executablePath = findOnPath('chromium') ?? 'chromium'
  const trust = authority === undefined ? [] : [`--ignore-certificate-errors-spki-list=${keyDigest(authority)}`]
  const options = { executablePath, chromiumSandbox: false, args: [...FLAGS, ...trust] }
  return scope.adopt(await chromium.launch(options), (browser) => browser.close())
}

function keyDigest(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

export interface PageCall {
  /** Address of a load-balanced endpoint. */
  readonly base: string
  readonly key: string
  readonly authority: string
}

export interface BlankPage extends AsyncDisposable {
  readonly origin: string
  /** Calls the endpoint from a page of this origin, with fetch, a stream and a WebSocket. */
  readonly call: (call: PageCall) => Promise<unknown>
}

export async function startBlankPage(): Promise<BlankPage> {
  await using scope = new AsyncDisposableStack()
  const port = await listen(scope, (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'))
  const owned = scope.move()
  const origin = `http://localhost:${port}`
  return {
    origin,
    async call({ authority, ...given }) {
      await using opened = new AsyncDisposableStack()
      const page = await (await openBrowser(opened, authority)).newPage()
      await page.goto(origin)
      return await page.evaluate(callEndpoint, given)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Runs in the page. */
async function callEndpoint({ base, key }: Pick<PageCall, 'base' | 'key'>): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}` }
  const body = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"x":21}' }
  const fetched: unknown = await (await fetch(`${base}/double`, body)).json()
  const stream = (await (await fetch(`${base}/stream`, { headers })).text()).trim().split('\n\n')
  const socket = await new Promise((resolve, reject) => {
    const talk = new WebSocket(`${base.replace(/^http/, 'ws')}/talk`, ['runyard', `runyard.bearer.${key}`])
    talk.addEventListener('open', () => talk.send('hello'))
    talk.addEventListener('message', ({ data }) => resolve([String(data), talk.protocol]))
    talk.addEventListener('error', () => reject(new Error('the WebSocket failed')))
  })
  return { fetch: fetched, stream, socket }
}

export async function startSdkSite(): Promise<SdkSite> {
  await using scope = new AsyncDisposableStack()
  const sdk = await bundleSdk()
  const port = await listen(scope, (request, response) => {
    const [type, body] = request.url === '/sdk.js' ? ['text/javascript', sdk] : ['text/html', PAGE]
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  const browser = await openBrowser(scope)
  const owned = scope.move()
  return {
    origin: `http://localhost:${port}`,
    otherOrigin: `http://127.0.0.1:${port}`,
    open: async (origin) => {
      const page = await browser.newPage()
      const lines: string[] = []
      page.on('console', (message) => lines.push(message.text()))
      await page.goto(origin)
      return { console: lines, call: (target, method, ...args) => page.evaluate(callSdk, { target, method, args }) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Sdk = (key: string, options: { baseUrl: string }) => { endpoint: (id: string) => Record<SdkMethod, (...args: unknown[]) => unknown> }

/** Runs in the page, so it cannot use anything of this module. */
async function callSdk({ target, method, args }: { target: SdkTarget; method: SdkMethod; args: readonly unknown[] }) {
  const { runpodSdk } = globalThis as unknown as { runpodSdk: Sdk }
  const endpoint = runpodSdk(target.key, { baseUrl: target.baseUrl }).endpoint(target.endpoint)
  const made = endpoint[method](...args)
  if (method !== 'stream') return (await made) as Record<string, unknown>
  const chunks: unknown[] = []
  for await (const chunk of made as AsyncIterable<unknown>) chunks.push(chunk)
  return { chunks }
}

/** Bundles like a page's author would. The SDK reads its version with Node's `createRequire`, so the browser needs a stand-in for it. */
async function bundleSdk(): Promise<string> {
  const nodeModule: Plugin = {
    name: 'node-module',
    resolveId: (id) => (id === 'module' ? '\0module' : null),
    load: (id) => (id === '\0module' ? `export const createRequire = () => () => ({ version: 'in a page' })` : null),
  }
  await using bundle = await rolldown({
    cwd: join(import.meta.dirname, '..'),
    input: 'runpod-sdk',
    platform: 'browser',
    plugins: [nodeModule],
  })
  const { output } = await bundle.generate({ format: 'esm' })
  return output[0].code
}

async function listen(scope: AsyncDisposableStack, onRequest: RequestListener): Promise<number> {
  const server = createServer(onRequest)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => close(server))
  return (server.address() as AddressInfo).port
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}
