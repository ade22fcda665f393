// The version of what lies in Redis (ADR 45). Opening the store brings older data up to date, in one process at a time; newer data is
// refused, since this code would not know what it overwrites.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { quoted, RunyardError } from '@runyard/schema'
import type { Redis } from 'ioredis'
import type { Keys } from '../keys.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

/** A migration that takes longer renews its lock; one that was killed is begun again by the next process after this time. */
const LOCK_MS = 15_000
const RENEW_EVERY_MS = 5000
const LOOK_EVERY_MS = 100

export const DATA_VERSION = MIGRATIONS.length

interface DataVersionDeps {
  readonly client: Redis
  readonly keys: Keys
  /** Oldest first; for tests. */
  readonly migrations?: readonly Migration[]
}

/**
 * Returns once the data has the version of this code. A process that finds another one at work waits for it.
 * @throws RunyardError('conflict') for data of a newer version, and for a record that cannot be read; nothing was changed then.
 */
export async function ensureDataVersion(deps: DataVersionDeps): Promise<void> {
  const { client, keys, migrations = MIGRATIONS } = deps
  for (;;) {
    const version = await readVersion(deps)
    if (version > migrations.length) throw newerData(version, migrations.length)
    if (version === migrations.length) return
    const token = randomUUID()
    const isOurs = (await client.set(keys.dataLock, token, 'PX', LOCK_MS, 'NX')) === 'OK'
    if (isOurs) await migrateUnderLock(deps, token)
    else await sleep(LOOK_EVERY_MS)
  }
}

async function readVersion({ client, keys }: DataVersionDeps): Promise<number> {
  const text = (await client.get(keys.dataVersion)) ?? '0'
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new RunyardError(
    'conflict',
    `The version of the data in Redis (${keys.dataVersion}) is ${quoted(text)}, which is no whole number: set it to the version of the Runyard that wrote the data.`,
  )
}

async function migrateUnderLock(deps: DataVersionDeps, token: string): Promise<void> {
  const { client, keys, migrations = MIGRATIONS } = deps
  const timer = setInterval(() => {
    client.eval(RENEW, 1, keys.dataLock, token, LOCK_MS).catch(() => undefined)
  }, RENEW_EVERY_MS)
  try {
    // Read again: another process may have been at work until now.
    for (let version = await readVersion(deps); version < migrations.length; version += 1) {
      await migrations[version]?.run({ client, keys })
      const isWritten = await client.eval(WRITE_VERSION, 2, keys.dataLock, keys.dataVersion, token, version + 1)
      if (isWritten !== 1) return
    }
  } finally {
    clearInterval(timer)
    await client.eval(UNLOCK, 1, keys.dataLock, token).catch(() => undefined)
  }
}

/** KEYS: lock. ARGV: token, ms */
const RENEW = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2])`

/** KEYS: lock, version. ARGV: token, version → 1, or nothing where the lock was lost. */
const WRITE_VERSION = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('SET', KEYS[2], ARGV[2])
return 1
`

/** KEYS: lock. ARGV: token */
const UNLOCK = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1])`

function newerData(found: number, known: number): RunyardError {
  return new RunyardError(
    'conflict',
    `The data in Redis has version ${found}, and this Runyard knows versions up to ${known}: start the newer Runyard that wrote it, or use another data directory.`,
  )
}
