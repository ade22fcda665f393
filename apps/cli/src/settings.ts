// The effective settings of a command; its own options take precedence.
import { createClient, type Client, type Target } from '@runyard/client'
import { dataDirPath, loadConfig, type LoadedConfig } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { textOption, type CommandContext } from './command.ts'
import { currentContext } from './contexts.ts'
import { readRunning, type RunNote } from './stack/data-dir.ts'

export interface Settings extends LoadedConfig {
  /** Absolute path. */
  readonly dataDir: string
}

/** @throws RunyardError with one sentence. */
export async function loadSettings(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<Settings> {
  const loaded = await loadConfig({ env: context.env, cwd: context.cwd })
  const named = textOption(context, 'data')
  const origins = named === undefined ? loaded.origins : { ...loaded.origins, dataDir: '--data' }
  return { ...loaded, origins, dataDir: dataDirPath(named ?? loaded.config.dataDir, context.env) }
}

/** It needs no configuration where `--data` names it. @throws RunyardError with one sentence. */
export async function findDataDir(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<string> {
  const named = textOption(context, 'data')
  return named === undefined ? (await loadSettings(context)).dataDir : dataDirPath(named, context.env)
}

type Context = Pick<CommandContext, 'options' | 'env' | 'cwd'>

/** A running stack of this machine. */
interface LocalStack extends RunNote {
  readonly dataDir: string
}

/**
 * The stack that most commands use: the one of a named data directory, else the one that the client variables name (`runyard env` prints them),
 * else the one of the context in use (`runyard use`), else the one of the default directory. For a stack of this machine it also contains its start time. @throws RunyardError if there is none.
 */
export async function findTarget(context: Context): Promise<Target & Partial<LocalStack> & { readonly contextName?: string }> {
  if (textOption(context, 'data') !== undefined) return findRunning(context)
  const named = targetOf(context.env)
  if (named !== undefined) return named
  const used = await currentContext(context.env)
  if (used === undefined) return findRunning(context)
  const { name: contextName, context: place } = used
  if ('url' in place) return { ...place, contextName }
  return { ...(await findRunning({ ...context, options: { ...context.options, data: place.data } })), contextName }
}

/** A client of that stack. */
export async function findClient(context: Context): Promise<Client> {
  return createClient(await findTarget(context))
}

/**
 * The stack whose variables `runyard env` prints. The local stack comes first, because a shell may still have the variables of a former stack.
 * @throws RunyardError if there is none.
 */
export async function findSource(context: Context): Promise<Target & { readonly dataDir?: string }> {
  return (await findLocal(context)) ?? findTarget(context)
}

/** The stack of this machine. A configuration that cannot be read does not matter where the variables or a context name a gateway. */
async function findLocal(context: Context): Promise<(Target & { readonly dataDir: string }) | undefined> {
  try {
    const dataDir = await findDataDir(context)
    const running = await readRunning(dataDir)
    return running && { ...running, dataDir }
  } catch (error) {
    if (targetOf(context.env) === undefined && (await currentContext(context.env)) === undefined) throw error
    return undefined
  }
}

async function findRunning(context: Context): Promise<LocalStack & { key: string }> {
  const dataDir = await findDataDir(context)
  const running = await readRunning(dataDir)
  if (running === undefined) {
    throw new RunyardError(
      'not_found',
      `no Runyard runs on ${dataDir}; start one with \`./runyard up\`, name its directory with --data DIR, or a gateway with RUNPOD_API_BASE_URL and RUNPOD_API_KEY.`,
    )
  }
  return { ...running, dataDir }
}

function targetOf({ RUNPOD_API_BASE_URL: url, RUNPOD_API_KEY: key }: NodeJS.ProcessEnv): Target | undefined {
  return url === undefined || key === undefined ? undefined : { url: url.replace(/\/+$/u, ''), key }
}
