// A client of the Hugging Face Hub's HTTP API, the part that huggingface_hub uses to download a model: which commit a reference means, the files of a
// commit with their hashes, and their bytes. Failure direction: bytes that do not fit their hash never make a whole file.
import { createHash, type Hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { quoted, RunyardError, type CachedModel } from '@runyard/schema'
import { z } from 'zod'

export interface HubFile {
  readonly path: string
  /** The name of its content, as the hub's ETag has it: the SHA-256 of a large file, the git id of another. */
  readonly blob: string
  readonly sizeBytes: number
}

export interface HubAccess {
  /** Undefined: as a stranger. */
  readonly token: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type Hub = ReturnType<typeof createHub>

const ANSWERS_WITHIN_MS = 15_000
/** In a row, without a byte in between. */
const TRIES = 5
const FIRST_PAUSE_MS = 500

/** A path inside the repository, which becomes one on a host. */
const RepoPath = z.string().refine((path) => path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'))

const Sibling = z.object({
  rfilename: RepoPath,
  size: z.int().min(0),
  blobId: z.string().regex(/^[0-9a-f]{40}$/u),
  lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/u), size: z.int().min(0) }).optional(),
})
const ModelInfo = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/u),
  private: z.boolean().default(false),
  /** False, or how access is granted: `auto`, `manual`. */
  gated: z.union([z.boolean(), z.string()]).default(false),
  siblings: z.array(Sibling),
})

/** `pauseMs`: before the first retry of a broken connection. */
export function createHub(url: string, { pauseMs = FIRST_PAUSE_MS }: { readonly pauseMs?: number } = {}) {
  const base = url.replace(/\/+$/u, '')
  return {
    /** The commit that the reference means now. @throws RunyardError: the model is unknown or closed, or the hub does not answer ('bad_gateway'). */
    async resolve({ repo, ref }: Pick<CachedModel, 'repo' | 'ref'>, access: HubAccess): Promise<CachedModel> {
      const { sha, gated, private: isPrivate, siblings } = await readInfo(base, { repo, revision: ref }, access)
      const files = siblings.map(toFile)
      const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
      const model: CachedModel = { repo, ref, commit: sha, sizeBytes, needsToken: isPrivate || gated !== false }
      const [first] = files
      // Everyone may read about a gated model; its files show who may use it.
      if (gated !== false && first !== undefined) {
        const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS)
        await openFile({ base, model, file: first, access }, { method: 'HEAD', redirect: 'manual', signal })
      }
      return model
    },
    /** @throws as `resolve`. */
    async files({ repo, commit }: CachedModel, access: HubAccess): Promise<readonly HubFile[]> {
      return (await readInfo(base, { repo, revision: commit }, access)).siblings.map(toFile)
    },
    /** A broken connection is resumed. The last bytes come after the hash was checked. @throws as `resolve`, or if the bytes are wrong. */
    read: (model: CachedModel, file: HubFile, access: HubAccess): AsyncIterable<Uint8Array> =>
      checked({ base, model, file, access }, resumed({ base, model, file, access }, pauseMs)),
  }
}

interface WantedFile {
  readonly base: string
  readonly model: CachedModel
  readonly file: HubFile
  readonly access: HubAccess
}

interface FileRequest extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>
}

async function get(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${base}/${path}`, init)
  } catch (error) {
    throw hubAway(base, error)
  }
}

async function readInfo(
  base: string,
  { repo, revision }: { readonly repo: string; readonly revision: string },
  { token, signal }: HubAccess,
): Promise<z.infer<typeof ModelInfo>> {
  const path = `api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`
  const within = AbortSignal.timeout(ANSWERS_WITHIN_MS)
  const response = await get(base, path, {
    headers: headersOf(token),
    signal: signal === undefined ? within : AbortSignal.any([signal, within]),
  })
  if (!response.ok) throw await refusal(response, { base, repo, revision, hasToken: token !== undefined })
  const parsed = ModelInfo.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) return parsed.data
  throw new RunyardError('bad_gateway', `The hub ${base} does not describe the model ${quoted(repo)} as expected.`, { fault: 'request' })
}

/** A redirect that is not followed is an answer, too. */
async function openFile({ base, model, file, access: { token } }: WantedFile, request: FileRequest): Promise<Response> {
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  const headers = { ...headersOf(token), ...request.headers }
  const response = await get(base, `${model.repo}/resolve/${model.commit}/${path}`, { ...request, headers })
  if (response.status < 400) return response
  throw await refusal(response, { base, repo: model.repo, revision: model.commit, hasToken: token !== undefined })
}

/** The bytes of a file, over as many connections as it takes. */
async function* resumed(wanted: WantedFile, pauseMs: number): AsyncGenerator<Uint8Array> {
  const { sizeBytes } = wanted.file
  let at = 0
  let failures = 0
  while (at < sizeBytes) {
    try {
      for await (const chunk of bytesFrom(wanted, at)) {
        failures = 0
        at += chunk.length
        yield chunk
      }
      if (at < sizeBytes) throw new TypeError('the connection ended too early')
    } catch (error) {
      failures += 1
      await pauseAfter(error, { wanted, failures, pauseMs })
    }
  }
}

async function* bytesFrom(wanted: WantedFile, at: number): AsyncGenerator<Uint8Array> {
  const headers = { 'accept-encoding': 'identity', range: `bytes=${at}-` }
  const response = await openFile(wanted, { headers, signal: wanted.access.signal ?? null })
  // One that knows no ranges begins anew.
  yield* without(response, response.status === 206 ? 0 : at)
}

interface Failure {
  readonly wanted: WantedFile
  readonly failures: number
  readonly pauseMs: number
}

/** @throws what no further try would change. */
async function pauseAfter(error: unknown, { wanted: { base, access }, failures, pauseMs }: Failure): Promise<void> {
  const known = error instanceof RunyardError ? error : hubAway(base, error)
  if (access.signal?.aborted === true || known.code !== 'bad_gateway' || failures >= TRIES) throw known
  await sleep(pauseMs * 2 ** (failures - 1), undefined, access.signal === undefined ? {} : { signal: access.signal })
}

/** Keeps the last bytes back until the hash of all is known to be right. */
async function* checked({ base, model, file }: WantedFile, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = hashFor(file)
  let held: Uint8Array | undefined
  for await (const chunk of content) {
    hash.update(chunk)
    if (held !== undefined) yield held
    held = chunk
  }
  if (hash.digest('hex') !== file.blob) {
    const sentence = `The file ${quoted(file.path)} of the model ${quoted(model.repo)} arrived with a wrong hash from ${base}.`
    throw new RunyardError('bad_gateway', sentence, { fault: 'request' })
  }
  if (held !== undefined) yield held
}

const toFile = ({ rfilename: path, size, blobId, lfs }: z.infer<typeof Sibling>): HubFile =>
  lfs === undefined ? { path, blob: blobId, sizeBytes: size } : { path, blob: lfs.sha256, sizeBytes: lfs.size }

/** A git id is the SHA-1 of the content with its length in front. */
function hashFor({ blob, sizeBytes }: HubFile): Hash {
  return blob.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`)
}

async function* without({ body }: Response, skipped: number): AsyncGenerator<Uint8Array> {
  let left = skipped
  for await (const chunk of body ?? []) {
    const kept = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - kept.length
    if (kept.length > 0) yield kept
  }
}

const headersOf = (token: string | undefined): Record<string, string> => ({
  'user-agent': 'runyard',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
})

function hubAway(base: string, error: unknown): RunyardError {
  const { cause, message } = error instanceof Error ? error : { cause: undefined, message: String(error) }
  const why = cause instanceof Error ? cause.message : message
  return new RunyardError('bad_gateway', `The hub ${base} does not answer: ${why}.`, { cause: error, fault: 'request' })
}

interface Refused {
  readonly base: string
  readonly repo: string
  readonly revision: string
  readonly hasToken: boolean
}

const ASK = 'give the endpoint HF_TOKEN (best as a secret) of an account that may use it'

/** The hub hides private models from strangers, so that they look unknown. */
async function refusal(response: Response, { base, repo, revision, hasToken }: Refused): Promise<RunyardError> {
  await response.body?.cancel()
  const { status, headers } = response
  const code = headers.get('x-error-code')
  if (status >= 500 || status === 429)
    return new RunyardError('bad_gateway', `The hub ${base} does not answer: HTTP ${status}.`, { fault: 'request' })
  if (code === 'GatedRepo' || status === 403) return refused(`The model ${quoted(repo)} of ${base} is gated: ${ASK}.`)
  if (code === 'RevisionNotFound') return refused(`The model ${quoted(repo)} of ${base} has no revision ${quoted(revision)}.`)
  if (status === 401 || status === 404)
    return refused(
      `The model ${quoted(repo)} is unknown at ${base}${hasToken ? ', or the token must not see it' : `, or private: then ${ASK}`}.`,
    )
  return refused(`The hub ${base} refuses the model ${quoted(repo)}: HTTP ${status}.`)
}

const refused = (sentence: string): RunyardError => new RunyardError('unprocessable', sentence, { fault: 'request' })
