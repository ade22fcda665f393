// Where Runyard keeps things on disk: state in the data directory, what can be fetched again in the cache (XDG base directories).
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** `dataDir` as configured, else `$XDG_STATE_HOME/runyard`; absolute. */
export function dataDirPath(configured: string | undefined, env: Env): string {
  return resolve(configured ?? join(env['XDG_STATE_HOME'] || join(homeDir(env), '.local', 'state'), 'runyard'))
}

/** `$XDG_CACHE_HOME/runyard`; absolute. */
export function cacheDirPath(env: Env): string {
  return resolve(env['XDG_CACHE_HOME'] || join(homeDir(env), '.cache'), 'runyard')
}

function homeDir(env: Env): string {
  return env['HOME'] || homedir()
}
