// The version of the data in Redis (ADR 45). Opening the store migrates older data, in one process at a time. Newer data is rejected, because this
// release does not know its format.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { quoted, RunyardError } from '@runyard/schema'
import type { Redis } from 'ioredis'
import type { Keys } from '../keys.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, nothing } from '../scripts/replies.ts'
import { createRun } from '../scripts/run-script.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

const renewScript = defineScript({
  lua: new URL('./renew-lock.lua', import.meta.url),
  keys: ['lock'],
  args: { token: 'text', lockMs: 'number' },
  reply: nothing,
})

const writeScript = defineScript({
  lua: new URL('./write-version.lua', import.meta.url),
  keys: ['lock', 'dataVersion'],
  args: { token: 'text', version: 'number' },
  reply: flag,
})

const unlockScript = defineScript({
  lua: new URL('./unlock.lua', import.meta.url),
  keys: ['lock'],
  args: { token: 'text' },
  reply: nothing,
})

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
  const run = createRun({ client })
  const lock = keys.dataLock
  const timer = setInterval(() => {
    run(renewScript, { lock, token, lockMs: LOCK_MS }).catch(() => undefined)
  }, RENEW_EVERY_MS)
  try {
    // Read again: another process may have been at work until now.
    for (let version = await readVersion(deps); version < migrations.length; version += 1) {
      await migrations[version]?.run({ client, keys })
      const isWritten = await run(writeScript, { lock, dataVersion: keys.dataVersion, token, version: version + 1 })
      if (!isWritten) return
    }
  } finally {
    clearInterval(timer)
    await run(unlockScript, { lock, token }).catch(() => undefined)
  }
}

function newerData(found: number, known: number): RunyardError {
  return new RunyardError(
    'conflict',
    `The data in Redis has version ${found}, and this Runyard knows versions up to ${known}: start the newer Runyard that wrote it, or use another data directory.`,
  )
}
