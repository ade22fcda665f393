// Is this Redis fit to hold accepted jobs (design §3 "Accepted means fsynced")? One sentence per problem, each with how to mend it.
// A managed Redis may refuse CONFIG: then INFO must do, and what cannot be known is not complained about.
import type { StoreContext } from './context.ts'
import { toStoreError } from './errors.ts'
import type { StoreProblem } from './types.ts'

export async function findProblems({ client, keys }: StoreContext): Promise<readonly StoreProblem[]> {
  try {
    const info = parseInfo(await client.info())
    const writeProblem = await tryWriting({ client, keys })
    return [evictionProblem(info), appendOnlyProblem(info), writeProblem].filter((problem) => problem !== undefined)
  } catch (error) {
    const translated = toStoreError(error)
    return [{ kind: 'away', message: translated instanceof Error ? translated.message : String(translated) }]
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : []
  })
  return new Map(pairs)
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
    const why = error instanceof Error ? error.message : String(error)
    return { kind: 'read_only', message: `Redis does not accept writes: ${why}` }
  }
}
