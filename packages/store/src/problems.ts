// Is this Redis fit to hold accepted jobs (ADR 11)? One sentence per problem, each with how to mend it.
// A managed Redis may refuse CONFIG. Then INFO is used, and unknown settings are not reported.
import type { STORE_PROBLEMS } from '@runyard/core'
import { errorMessage } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { toStoreError } from './errors.ts'

/** `may_evict`: queued jobs can be thrown away; `not_durable`: accepted jobs are lost with the process. */
export interface StoreProblem {
  readonly kind: (typeof STORE_PROBLEMS)[number]
  /** One sentence, with how to mend it. */
  readonly message: string
}

export async function findProblems({ client, keys }: StoreContext): Promise<readonly StoreProblem[]> {
  try {
    const info = parseInfo(await client.info())
    const writeProblem = await tryWriting({ client, keys })
    return [versionProblem(info), evictionProblem(info), appendOnlyProblem(info), writeProblem].filter((problem) => problem !== undefined)
  } catch (error) {
    const translated = toStoreError(error)
    return [{ kind: 'away', message: errorMessage(translated) }]
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : []
  })
  return new Map(pairs)
}

/** Of commands that our scripts and BullMQ's need, the youngest came with it. Others that speak its protocol say which Redis they are like. */
const OLDEST = [6, 2] as const

export function versionProblem(info: ReadonlyMap<string, string>): StoreProblem | undefined {
  const version = info.get('redis_version') ?? 'unknown'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (Number.isNaN(major) || major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined
  return { kind: 'too_old', message: `Redis ${version} is too old: Runyard needs Redis ${OLDEST.join('.')} or newer, or Valkey.` }
}

function evictionProblem(info: ReadonlyMap<string, string>): StoreProblem | undefined {
  const policy = info.get('maxmemory_policy')
  if (policy === undefined || policy === 'noeviction') return undefined
  const message = `Redis may throw queued jobs away: its maxmemory-policy is "${policy}" (set it with: CONFIG SET maxmemory-policy noeviction).`
  return { kind: 'may_evict', message }
}

function appendOnlyProblem(info: ReadonlyMap<string, string>): StoreProblem | undefined {
  if (info.get('aof_enabled') !== '0') return undefined
  const message = 'Redis would lose accepted jobs when it stops: its append-only file is off (set it with: CONFIG SET appendonly yes).'
  return { kind: 'not_durable', message }
}

async function tryWriting({ client, keys }: Pick<StoreContext, 'client' | 'keys'>): Promise<StoreProblem | undefined> {
  try {
    await client.set(`${keys.instance}:probe`, '1', 'PX', 1000)
    return undefined
  } catch (error) {
    const why = errorMessage(error)
    return { kind: 'read_only', message: `Redis does not accept writes: ${why}` }
  }
}

export interface RedisMemory {
  readonly usedBytes: number
  /** Beyond it Redis refuses writes; undefined where it has none, or does not say. */
  readonly ceilingBytes: number | undefined
}

/** What the metrics say about Redis. */
export interface RedisFacts extends RedisMemory {
  /** Writes that waited for a slow fsync, since Redis started; undefined: no append-only file. */
  readonly delayedFsyncs: number | undefined
}

/** @throws RunyardError('store_unavailable') */
export async function readMemory({ client }: Pick<StoreContext, 'client'>): Promise<RedisMemory> {
  return toMemory(parseInfo(await client.info('memory')))
}

/** @throws RunyardError('store_unavailable') */
export async function readFacts({ client }: Pick<StoreContext, 'client'>): Promise<RedisFacts> {
  const info = parseInfo(await client.info())
  const delayed = info.get('aof_delayed_fsync')
  return { ...toMemory(info), delayedFsyncs: delayed === undefined ? undefined : Number(delayed) }
}

function toMemory(info: ReadonlyMap<string, string>): RedisMemory {
  const ceilingBytes = Number(info.get('maxmemory') ?? 0)
  return { usedBytes: Number(info.get('used_memory') ?? 0), ceilingBytes: ceilingBytes > 0 ? ceilingBytes : undefined }
}
