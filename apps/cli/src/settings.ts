// What every command needs to know before it starts: the effective settings, with its own options as the last word.
import type { Target } from '@runyard/client'
import { dataDirPath, loadConfig, type LoadedConfig } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { textOption, type CommandContext } from './command.ts'
import { readRunning, type RunNote } from './stack/data-dir.ts'

export interface Settings extends LoadedConfig {
  /** Absolute. */
  readonly dataDir: string
}

/** @throws RunyardError with one sentence. */
export async function loadSettings(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<Settings> {
  const loaded = await loadConfig({ env: context.env, cwd: context.cwd })
  const named = textOption(context, 'data')
  const origins = named === undefined ? loaded.origins : { ...loaded.origins, dataDir: '--data' }
  return { ...loaded, origins, dataDir: dataDirPath(named ?? loaded.config.dataDir, context.env) }
}

type Context = Pick<CommandContext, 'options' | 'env' | 'cwd'>

/**
 * Whom most commands talk to: the stack of a named data directory, else what the client variables name (`runyard env` prints them),
 * else the stack of the default directory. Of a stack of this machine it is known, too, since when it runs. @throws RunyardError when there is none.
 */
export async function findTarget(context: Context): Promise<Target & Partial<RunNote>> {
  const named = textOption(context, 'data') === undefined ? targetOf(context.env) : undefined
  return named ?? findRunning(context)
}

/**
 * Whose variables `runyard env` prints: here the stack comes first, since a shell may still have the variables of one that is gone.
 * @throws RunyardError when there is none.
 */
export async function findSource(context: Context): Promise<Target> {
  const { dataDir } = await loadSettings(context)
  const running = await readRunning(dataDir)
  return running ?? findTarget(context)
}

async function findRunning(context: Context): Promise<RunNote & { key: string }> {
  const { dataDir } = await loadSettings(context)
  const running = await readRunning(dataDir)
  if (running === undefined) {
    throw new RunyardError(
      'not_found',
      `no Runyard runs on ${dataDir}; start one with \`./runyard up\`, name its directory with --data DIR, or a gateway with RUNPOD_API_BASE_URL and RUNPOD_API_KEY.`,
    )
  }
  return running
}

function targetOf({ RUNPOD_API_BASE_URL: url, RUNPOD_API_KEY: key }: NodeJS.ProcessEnv): Target | undefined {
  return url === undefined || key === undefined ? undefined : { url: url.replace(/\/+$/u, ''), key }
}
