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
  return { ...loaded, dataDir: dataDirPath(named ?? loaded.config.dataDir, context.env) }
}

/** The running stack of the data directory. @throws RunyardError when none runs. */
export async function findRunning(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<RunNote & { key: string }> {
  const { dataDir } = await loadSettings(context)
  const running = await readRunning(dataDir)
  if (running === undefined) {
    throw new RunyardError(
      'not_found',
      `no Runyard runs on ${dataDir}; start one with \`./runyard up\`, or name its directory with --data DIR.`,
    )
  }
  return running
}

/**
 * Whom the pool's commands talk to: the stack of a named data directory, else what the client variables name (`runyard env` prints them),
 * else the stack of the default directory. @throws RunyardError when there is none.
 */
export async function findTarget(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<Target> {
  const { RUNPOD_API_BASE_URL: url, RUNPOD_API_KEY: key } = context.env
  if (textOption(context, 'data') !== undefined || url === undefined || key === undefined) return findRunning(context)
  return { url: url.replace(/\/+$/u, ''), key }
}
