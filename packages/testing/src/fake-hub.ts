// A hub on loopback that speaks the part of the Hugging Face Hub's protocol by which huggingface_hub downloads a model. Large files are at another origin,
// to which the hub redirects, as there.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeModel {
  readonly commit: string
  /** Beside the commit; default: `main`. */
  readonly refs?: readonly string[]
  readonly files: Readonly<Record<string, string | Buffer>>
  /** Of these, those that are large. */
  readonly lfs?: readonly string[]
  /** Access needs this token. */
  readonly gatedBy?: string
  readonly privateTo?: string
}

export interface FakeHub extends AsyncDisposable {
  readonly url: string
  readonly models: Map<string, FakeModel>
  /** `GET /…`, oldest first. */
  readonly requests: string[]
  /** Tokens that were sent to the origin of large files: none ever should. */
  readonly leaked: string[]
  /** The next answers with a file's bytes end after so many bytes. */
  readonly cuts: number[]
  /** Bytes of files are wrong. */
  isCorrupt: boolean
}

const MODEL = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(revision|tree)\/([^/?]+))?$/u
const FILE = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/u

export async function openFakeHub(): Promise<FakeHub> {
  const models = new Map<string, FakeModel>()
  const state = { models, requests: [] as string[], leaked: [] as string[], cuts: [] as number[], isCorrupt: false }
  const server = createServer((request, response) => {
    state.requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    answer(state, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

type State = Omit<FakeHub, 'url' | keyof AsyncDisposable>

function answer(state: State, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://hub')
  if (pathname.startsWith('/large/')) return sendLarge(state, request, response)
  const about = MODEL.exec(pathname)
  const repo = (about ?? FILE.exec(pathname))?.[1]
  const token = request.headers.authorization?.replace('Bearer ', '')
  const model = visibleModel(state, repo, token)
  if (repo === undefined || model === undefined) return refuse(response, 401, 'RepoNotFound')
  if (about === null) return answerFile(state, { model, token, request, response, name: nameIn(pathname) })
  describe(response, { model, repo, kind: about[2], revision: decodeURIComponent(about[3] ?? 'main') })
}

function visibleModel({ models }: State, repo = '', token = ''): FakeModel | undefined {
  const model = models.get(repo)
  return model?.privateTo === undefined || model.privateTo === token ? model : undefined
}

const nameIn = (pathname: string): string => decodeURIComponent(FILE.exec(pathname)?.[3] ?? '')

function answerFile(state: State, { token, ...asked }: Asked & { readonly token: string | undefined }): void {
  const { model, request, response } = asked
  if (!knows(model, FILE.exec(request.url ?? '')?.[2] ?? '')) return refuse(response, 404, 'RevisionNotFound')
  if (model.gatedBy !== undefined && model.gatedBy !== token) return refuse(response, token === undefined ? 401 : 403, 'GatedRepo')
  sendFile(state, asked)
}

const knows = ({ commit, refs = ['main'] }: FakeModel, revision: string): boolean => revision === commit || refs.includes(revision)

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end()
}

interface Described {
  readonly model: FakeModel
  readonly repo: string
  readonly kind: string | undefined
  readonly revision: string
}

function describe(response: ServerResponse, { model, repo, kind, revision }: Described): void {
  if (!knows(model, revision)) return refuse(response, 404, 'RevisionNotFound')
  const files = Object.keys(model.files).map((name) => describeFile(model, name))
  const { commit: sha, gatedBy, privateTo } = model
  const about = { id: repo, modelId: repo, sha, private: privateTo !== undefined, gated: gatedBy === undefined ? false : 'manual' }
  const siblings = files.map(({ name, size, gitId, sha256, isLarge }) => ({
    rfilename: name,
    size,
    blobId: gitId,
    ...(isLarge ? { lfs: { sha256, size, pointerSize: 130 } } : {}),
  }))
  const tree = files.map(({ name, size, gitId, sha256, isLarge }) => ({
    type: 'file',
    path: name,
    size,
    oid: gitId,
    ...(isLarge ? { lfs: { oid: sha256, size, pointerSize: 130 } } : {}),
  }))
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(kind === 'tree' ? tree : { ...about, siblings }))
}

function describeFile({ files, lfs = [] }: FakeModel, name: string) {
  const bytes = Buffer.from(files[name] ?? '')
  const gitId = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const isLarge = lfs.includes(name)
  return { name, bytes, size: bytes.length, gitId, sha256, isLarge, etag: isLarge ? sha256 : gitId }
}

interface Asked {
  readonly model: FakeModel
  readonly name: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

function sendFile(state: State, { model, name, request, response }: Asked): void {
  if (model.files[name] === undefined) return refuse(response, 404, 'EntryNotFound')
  const { bytes, etag, isLarge, size } = describeFile(model, name)
  const headers = { 'x-repo-commit': model.commit, etag: `"${etag}"`, 'accept-ranges': 'bytes' }
  if (!isLarge) return sendBytes(state, { bytes, headers, request, response })
  const { port } = request.socket.address() as AddressInfo
  const location = `http://localhost:${port}/large/${etag}`
  response.writeHead(302, { ...headers, 'x-linked-etag': `"${etag}"`, 'x-linked-size': String(size), location }).end()
}

function sendLarge(state: State, request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== undefined) state.leaked.push(request.headers.authorization)
  const all = [...state.models.values()].flatMap((model) => Object.keys(model.files).map((name) => describeFile(model, name)))
  const file = all.find(({ sha256 }) => request.url === `/large/${sha256}`)
  if (file === undefined) return refuse(response, 404, 'EntryNotFound')
  sendBytes(state, { bytes: file.bytes, headers: { etag: `"${file.sha256}"` }, request, response })
}

interface Sent {
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

function sendBytes(state: State, { bytes, headers, request, response }: Sent): void {
  const from = Number(/^bytes=(\d+)-/u.exec(request.headers.range ?? '')?.[1] ?? -1)
  const body = state.isCorrupt ? Buffer.alloc(bytes.length, 'x') : bytes
  const part = body.subarray(Math.max(0, from))
  const range = from < 0 ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
  response.writeHead(from < 0 ? 200 : 206, { ...headers, ...range, 'content-length': part.length })
  if (request.method === 'HEAD') return void response.end()
  const cut = state.cuts.shift()
  if (cut === undefined) return void response.end(part)
  response.write(part.subarray(0, cut), () => response.destroy())
}
