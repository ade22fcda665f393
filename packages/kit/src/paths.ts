// Where Runyard stores files: state in the data directory, downloads in the cache (XDG base directories). Their content is trusted: programs in
// the cache are executed, and sockets in the data directory receive every job. No other user may be able to write there, and neither directory
// is inside one that all users share.
import { existsSync, lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { systemCode, RunyardError } from '@runyard/schema'

type Env = Readonly<Record<string, string | undefined>>

const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** `dataDir` as configured, else `$XDG_STATE_HOME/runyard`; absolute. @throws RunyardError if there is no home directory. */
export function dataDirPath(configured: string | undefined, env: Env): string {
  return resolve(configured ?? join(env['XDG_STATE_HOME'] || join(homeDir(env), '.local', 'state'), 'runyard'))
}

/** `$XDG_CACHE_HOME/runyard`, created if it is missing. @throws RunyardError with one sentence if others could write to it. */
export function openCacheDir(env: Env): string {
  const path = join(env['XDG_CACHE_HOME'] || join(homeDir(env), '.cache'), 'runyard')
  const mend = 'name another place with XDG_CACHE_HOME'
  if (!isAbsolute(path)) throw new RunyardError('bad_request', `The cache must have an absolute path, and ${path} is none; ${mend}.`)
  return openPrivateDir(path, { what: 'cache', mend })
}

/**
 * Creates the directory if it is missing and checks that only this user (and root) can change its content. The rule is the one that sshd uses
 * for its files, up to the root directory. @throws RunyardError('forbidden' | 'bad_request') with one sentence that ends in `mend`.
 */
export function openPrivateDir(path: string, { what, mend }: { what: string; mend: string }): string {
  const found = makeDir(path, { what, mend })
  const take = 'take it from others with chmod go-w,'
  if (!isOwn(found.stats) || canOthersWrite(found.stats)) {
    throw new RunyardError(
      'forbidden',
      `The ${what} ${path} is not this user’s alone, so nothing in it can be trusted; ${take} or ${mend}.`,
    )
  }
  for (let above = dirname(found.path); ; above = dirname(above)) {
    const stats = lstatSync(above)
    const isSafe = (isOwn(stats) || stats.uid === 0) && (!canOthersWrite(stats) || (stats.mode & STICKY) !== 0)
    if (!isSafe) {
      throw new RunyardError(
        'forbidden',
        `Others can replace the ${what} ${path}, since ${above} is theirs or writable by them; ${take} or ${mend}.`,
      )
    }
    if (above === dirname(above)) return path
  }
}

function makeDir(path: string, { what, mend }: { what: string; mend: string }): { path: string; stats: Stats } {
  try {
    createDirs(path)
    const real = realpathSync(path)
    return { path: real, stats: lstatSync(real) }
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') throw new RunyardError('bad_request', `The ${what} ${path} is a file; ${mend}.`, { cause: error })
    throw new RunyardError('bad_request', `The ${what} ${path} cannot be created (${code}); ${mend}.`, { cause: error })
  }
}

/**
 * Creates a directory and its missing parents, for this user only. Node's recursive mkdir never returns where a directory that exists refuses
 * with ENOENT, as /proc does. @throws the error of the system
 */
export function createDirs(path: string): void {
  if (existsSync(path) && lstatSync(realpathSync(path)).isDirectory()) return
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) createDirs(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was first.
    const isThere = systemCode(error) === 'EEXIST' && existsSync(path) && lstatSync(realpathSync(path)).isDirectory()
    if (!isThere) throw error
  }
}

const isOwn = ({ uid }: Stats): boolean => uid === process.getuid?.()
const canOthersWrite = ({ mode }: Stats): boolean => (mode & WRITABLE_BY_OTHERS) !== 0

function homeDir(env: Env): string {
  try {
    return env['HOME'] || userInfo().homedir
  } catch (error) {
    throw new RunyardError('bad_request', 'The home directory is not known; set HOME.', { cause: error })
  }
}
