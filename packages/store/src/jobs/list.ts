// Lists the jobs of an endpoint, and why a job no longer exists.
import { JobStatus } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { list, maybe, number, row, text, word } from '../scripts/replies.ts'
import type { JobStore } from './jobs.ts'
import { retriesOf, withoutUndefined } from './job-record.ts'
import { jobLua } from './parts.ts'

export const statusWord = word(...JobStatus.options)

const listScript = defineScript({
  lua: new URL('./list.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  /** `since…`: when the oldest results that are still kept ended. */
  args: { offset: 'number', limit: 'number', isLive: 'flag', sinceAsync: 'number', sinceSync: 'number' },
  reply: row({
    total: number,
    rows: list(
      row({
        id: text,
        status: statusWord,
        submittedAt: number,
        startedAt: maybe(number),
        settledAt: maybe(number),
        attempts: maybe(number),
        workerId: maybe(text),
        ahead: maybe(number),
      }),
    ),
  }),
})

const aheadScript = defineScript({
  lua: new URL('./ahead.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text' },
  reply: maybe(number),
})

const whyGoneScript = defineScript({
  lua: new URL('./why-gone.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text' },
  reply: maybe(row({ status: statusWord, endedAt: number, goneAt: number, why: word('kept', 'expired', 'room', 'ttl') })),
})

export function createJobList({ keys, run, options }: StoreContext): Pick<JobStore, 'list' | 'ahead' | 'whyGone'> {
  return {
    async list(endpointId, { offset, limit, isLive = false }) {
      const { asyncMs, syncMs } = options.retention
      const since = { sinceAsync: Date.now() - asyncMs, sinceSync: Date.now() - syncMs }
      const { total, rows } = await run(listScript, { queue: keys.queue(endpointId), offset, limit, isLive, ...since })
      return { total, jobs: rows.map(({ attempts, ...job }) => withoutUndefined({ ...job, retries: retriesOf(attempts) })) }
    },

    ahead: (endpointId, id) => run(aheadScript, { queue: keys.queue(endpointId), id }),

    async whyGone(endpointId, id) {
      const gone = await run(whyGoneScript, { queue: keys.queue(endpointId), id })
      return gone === undefined ? undefined : { ...gone, why: gone.why === 'kept' ? 'expired' : gone.why }
    },
  }
}
