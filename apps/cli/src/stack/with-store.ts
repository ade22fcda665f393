// The Redis of a stack of this machine, for the one change that has no route: the key of its data directory (ADR 38).
import { RunyardError } from '@runyard/schema'
import { openStore, storeOptionsOf, type Store } from '@runyard/store'
import type { CommandContext } from '../command.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { findOwnRedis } from './redis.ts'

const CONNECT_WAIT_MS = 5000

/** `what` completes "no Runyard runs, and … are in its Redis". @throws RunyardError if no Redis responds. */
export async function withStore<T>(
  context: Pick<CommandContext, 'options' | 'env' | 'cwd'>,
  what: string,
  use: (store: Store, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(context)
  const redisUrl = settings.config.redis.url ?? (await findOwnRedis(settings.dataDir))
  if (redisUrl === undefined) {
    throw new RunyardError(
      'not_found',
      `no Runyard runs on ${settings.dataDir}, and ${what} are in its Redis; start it with \`./runyard up\`, or name its directory with --data DIR.`,
    )
  }
  await using store = await openStore({ ...storeOptionsOf(settings.config, `runyard-${what}`), redisUrl, connectWaitMs: CONNECT_WAIT_MS })
  return await use(store, settings)
}
