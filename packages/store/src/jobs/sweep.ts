// The periodic sweeps: leases, and jobs whose TTL elapsed.
import type { JobRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, number, row, text } from '../scripts/replies.ts'
import type { JobStore } from './jobs.ts'
import { createToEnding, ENDING } from './ending.ts'
import { retriesOf } from './job-record.ts'
import { leaseRow, toLease } from './lease.ts'
import { jobLua, leaseLua, TTL_OVER } from './parts.ts'

const SWEEP_BATCH = 500
/** In the middle of a long queue each costs some milliseconds of Redis, during which it serves no other client. */
const EXPIRED_AT_ONCE = 100

const leasesScript = defineScript({
  lua: new URL('./leases.lua', import.meta.url),
  uses: [leaseLua],
  keys: ['queue'],
  reply: list(leaseRow),
})

const sweepExpiredScript = defineScript({
  lua: new URL('./sweep-expired.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { limit: 'number', ending: ENDING },
  reply: list(text),
})

const takeExpiredScript = defineScript({
  lua: new URL('./take-expired.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { limit: 'number' },
  reply: row({ rows: list(text), unlisted: number }),
})

const sweepRegisterScript = defineScript({
  lua: new URL('./sweep-register.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { now: 'number', limit: 'number', keepBytes: 'number' },
  reply: flag,
})

export function createJobSweeps(context: StoreContext): Pick<JobStore, 'leases' | 'sweepExpired' | 'takeExpired' | 'sweepRegister'> {
  const { keys, run } = context
  const toEnding = createToEnding(context)
  return {
    async leases(endpointId) {
      const rows = await run(leasesScript, { queue: keys.queue(endpointId) })
      return rows.map((lease) => toLease(endpointId, lease))
    },

    async sweepExpired(endpointId, now, onMany) {
      const swept: string[] = []
      let batch: readonly string[]
      do {
        batch = await run(sweepExpiredScript, {
          queue: keys.queue(endpointId),
          limit: EXPIRED_AT_ONCE,
          ending: toEnding(TTL_OVER, { now }),
        })
        swept.push(...batch)
        if (batch.length > 0 && swept.length % SWEEP_BATCH === 0) await onMany?.()
      } while (batch.length === EXPIRED_AT_ONCE)
      return swept
    },

    async takeExpired(endpointId) {
      const jobs: JobRecord[] = []
      let taken: { readonly rows: readonly string[]; readonly unlisted: number }
      let unlisted = 0
      do {
        taken = await run(takeExpiredScript, { queue: keys.queue(endpointId), limit: SWEEP_BATCH })
        unlisted += taken.unlisted
        jobs.push(...taken.rows.map((expired) => ({ ...toExpired(expired), ...TTL_OVER })))
      } while (taken.rows.length === SWEEP_BATCH)
      return { jobs, unlisted }
    },

    async sweepRegister(endpointId, now, keepBytes = Infinity) {
      const input = { queue: keys.queue(endpointId), now, limit: SWEEP_BATCH, keepBytes: Math.min(keepBytes, Number.MAX_SAFE_INTEGER) }
      while (!(await run(sweepRegisterScript, input)));
    },
  }
}

/** As `listExpired` in Lua writes it. */
type ExpiredRow = readonly [
  id: string,
  submittedAt: string,
  startedAt: string | null,
  settledAt: number | string,
  attempts: string,
  holder: string | null,
]

function toExpired(json: string): Omit<JobRecord, 'status'> {
  const [id, submittedAt, startedAt, settledAt, attempts, holder]: ExpiredRow = JSON.parse(json)
  return {
    id,
    submittedAt: Number(submittedAt),
    startedAt: startedAt === null ? undefined : Number(startedAt),
    settledAt: Number(settledAt),
    workerId: holder ?? undefined,
    retries: retriesOf(Number(attempts)),
  }
}
