// Models that endpoints ask for by reference (`owner/name[:rev]`, sdk2-api §3.7), and where a worker finds them (ADR 86). The layout is that of
// huggingface_hub's cache. A link named after the commit makes the same directory the store of SDK 2, `…/{owner}/{name}/{commit}`.
import { quoted, RunyardError, type CachedModel, type LaunchedModel, type Manifest, type ModelContent } from '@runyard/schema'

const CACHE = '/runpod-volume/huggingface-cache/hub'
const STORE = '/runpod/model-store/huggingface'

const PART = /^[\w.-]{1,96}$/u
const REF = /^[\w.-][\w./-]{0,199}$/u

const MOST_MODELS = 8

export type ModelReference = Pick<CachedModel, 'repo' | 'ref'>

/** Runpod also takes the address of the model's page. @throws RunyardError('bad_request') */
export function parseModelReference(text: string): ModelReference {
  const [repo = '', ref = 'main', ...more] = text.replace(/^https?:\/\/[^/]+\//u, '').split(':')
  const parts = repo.split('/')
  const isRepo = parts.length === 2 && parts.every((part) => PART.test(part) && !/^\.+$/u.test(part))
  if (isRepo && REF.test(ref) && !ref.includes('..') && more.length === 0) return { repo, ref }
  throw new RunyardError('bad_request', `A model is written as "owner/name" or "owner/name:revision"; ${quoted(text)} was given.`)
}

/** @throws RunyardError('bad_request') for two revisions of one model, which have one place. */
export function parseModelReferences(texts: readonly string[]): readonly ModelReference[] {
  if (texts.length > MOST_MODELS)
    throw new RunyardError('bad_request', `An endpoint has at most ${MOST_MODELS} models; ${texts.length} were given.`)
  const references = texts.map(parseModelReference)
  const twice = references.find(({ repo }, at) => references.findIndex((one) => one.repo === repo) !== at)
  if (twice !== undefined) throw new RunyardError('bad_request', `The model ${quoted(twice.repo)} is named twice.`)
  return references
}

export interface ManifestModel {
  readonly resource: string
  readonly reference: string
  /** The resource's own variables. */
  readonly env: Readonly<Record<string, string>>
}

/** Of a manifest of SDK 2. */
export function modelsIn({ resources }: Manifest): readonly ManifestModel[] {
  const named = Array.isArray(resources) ? resources.filter(isObject) : []
  return named.flatMap(({ name, model, env }) =>
    typeof model === 'string' && model !== '' ? [{ resource: String(name), reference: model, env: textsOf(env) }] : [],
  )
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function textsOf(value: unknown): Record<string, string> {
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])))
}

/** The variables from which huggingface_hub reads its token. */
export function hubTokenIn(env: Readonly<Record<string, string>>): string | undefined {
  return [env['HF_TOKEN'], env['HUGGING_FACE_HUB_TOKEN']].find((token) => token !== undefined && token !== '')
}

/** Only those variables, so that another secret does not matter. */
export function hubVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name === 'HF_TOKEN' || name === 'HUGGING_FACE_HUB_TOKEN'))
}

export function modelReferenceText({ repo, ref }: ModelReference): string {
  return ref === 'main' ? repo : `${repo}:${ref}`
}

/** A file of a model: its path in the repository, and the name of its content. */
export interface RepoFile {
  readonly path: string
  readonly blob: string
}

/**
 * The links and texts around `blobs/`: `snapshots/{commit}/{path}` → the blob, and the names under which the commit is found: the reference, and `main`
 * for code that names none. `model`: as `owner/name`, e.g. `a/config.json` links to `../../../blobs/…`.
 */
export function modelLayout({ ref, commit }: CachedModel, files: readonly RepoFile[]): Pick<ModelContent, 'links' | 'texts'> {
  const links = files.map(({ path, blob }) => ({
    path: `snapshots/${commit}/${path}`,
    target: `${'../'.repeat(path.split('/').length + 1)}blobs/${blob}`,
  }))
  const names = [...new Set([ref, 'main'])].filter((name) => name !== commit)
  return {
    links: [...links, { path: commit, target: `snapshots/${commit}` }],
    texts: names.map((name) => ({ path: `refs/${name}`, text: commit })),
  }
}

/** Its directory in a cache. */
export function modelDirectory({ repo }: Pick<LaunchedModel, 'repo'>): string {
  return `models--${repo.replace('/', '--')}`
}

/** Where a worker has the model, if its host mounts it. */
export function modelMounts(model: LaunchedModel): readonly string[] {
  return [`${CACHE}/${modelDirectory(model)}`, `${STORE}/${model.repo}`]
}

/**
 * For huggingface_hub of any version, and SDK 2. Without HF_HUB_OFFLINE the library would ask the hub for each file, and write a newer commit into a
 * cache that is read-only; the endpoint's own variables can switch it off.
 */
export function modelVariables(models: readonly LaunchedModel[] = [], cache: string = CACHE): Record<string, string> {
  const [first] = models
  if (first === undefined) return {}
  return { HF_HUB_CACHE: cache, HUGGINGFACE_HUB_CACHE: cache, HF_HUB_OFFLINE: '1', MODEL_REVISION: first.commit }
}
