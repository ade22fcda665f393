// Every way in which a job ends or is queued again. All are fenced: the lock's token is the worker's id, and the first outcome stays. A late write
// changes nothing and returns the reason.
import { JobStatus, type JobOutcome } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, maybe, number, row, tagged, text, word, wordOr } from '../scripts/replies.ts'
import type { JobStore } from './jobs.ts'
import { createToEnding, ENDING } from './ending.ts'
import { recordRow, retriesOf, settledFacts } from './job-record.ts'
import { jobLua } from './parts.ts'
import { admitted, KEY_LIMIT, keyLimit, QUEUE_LIMITS, queueLimits, REFUSALS } from './queue-limits.ts'
import { packOutcome } from './stored-values.ts'
import { DEFAULT_TTL_MS } from './submit.ts'

type JobEnds = Pick<JobStore, 'settle' | 'forceSettle' | 'takeBack' | 'retry' | 'purge' | 'endPurged' | 'progress'>

/** How a job of a purged queue ends: its pollers end, too (client-api §5.8). */
const PURGED: JobOutcome = { status: 'CANCELLED', error: 'the queue was purged' }
/** How a job of a deleted endpoint ends. */
export const ENDPOINT_DELETED: JobOutcome = { status: 'CANCELLED', error: 'the endpoint was deleted' }
/** One script's share: some milliseconds of Redis. */
const PURGED_AT_ONCE = 200

export const settleResult = word('settled', 'already_settled', 'not_holder')

const settleScript = defineScript(
  {
    lua: new URL('./settle.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { id: 'text', worker: 'text', ending: ENDING, settled: 'signal' },
    reply: wordOr(word('already_settled', 'not_holder'), tagged({ settled: settledFacts })),
  },
  { settled: (reply) => typeof reply === 'function' },
)

const forceSettleScript = defineScript(
  {
    lua: new URL('./force-settle.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { id: 'text', ending: ENDING, settled: 'signal' },
    reply: row({ result: word('settled', 'already_settled', 'unknown'), heldBy: maybe(text), toRecord: maybe(recordRow) }),
  },
  { settled: ({ result }) => result === 'settled' },
)

const takeBackScript = defineScript(
  {
    lua: new URL('./take-back.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: {
      id: 'text',
      /** Empty: the lease must have run out. */
      worker: 'text',
      budget: 'number',
      evidence: 'text',
      /** All that the worker held was lost with it. */
      withAll: 'flag',
      /** By the fault of its host: no attempt is counted. */
      withoutCost: 'flag',
      /** The outcome is made in the script. */
      ending: ENDING,
      settled: 'signal',
      added: 'signal',
    },
    /** `failed`: the budget was spent. */
    reply: word('requeued', 'failed', 'moot'),
  },
  { settled: (reply) => reply === 'failed', added: (reply) => reply === 'requeued' },
)

const retryScript = defineScript(
  {
    lua: new URL('./retry.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { id: 'text', now: 'number', ttlMs: 'number', ...QUEUE_LIMITS, ...KEY_LIMIT, added: 'signal' },
    /** `gone`: its submission is not kept. A status forbids it. */
    reply: word('retried', 'unknown', 'gone', ...REFUSALS, ...JobStatus.options),
  },
  { added: (reply) => reply === 'retried' },
)

const purgeScript = defineScript(
  {
    lua: new URL('./purge.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { ending: ENDING, purged: 'signal' },
    reply: number,
  },
  { purged: (count) => count > 0 },
)

const endPurgedScript = defineScript({
  lua: new URL('./end-purged.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { limit: 'number' },
  reply: row({ isDone: flag, rows: list(row({ id: text, submittedAt: number, attempts: number, settledAt: number })) }),
})

const progressScript = defineScript({
  lua: new URL('./progress.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text', worker: 'text', leaseMs: 'number', progress: 'text' },
  reply: settleResult,
})

export function createJobEnds(context: StoreContext): JobEnds {
  const { keys, run, payloads, justSettled, options } = context
  const toEnding = createToEnding(context)

  return {
    async settle({ endpointId, jobId, workerId, outcome }, sent) {
      const at = { endpointId, jobId }
      const kept = await payloads.pack(at, packOutcome(outcome))
      const settled = { kind: 'job-settled', ...at } as const
      const input = { queue: keys.queue(endpointId), id: jobId, worker: workerId, ending: toEnding(outcome, { text: kept.text }), settled }
      const reply = await run(settleScript, input, {
        sent,
        answered: (toRecord) => {
          payloads.conclude(at, kept, typeof toRecord === 'function')
          if (typeof toRecord === 'function') justSettled.remember(at, toRecord(jobId, outcome))
        },
      })
      return typeof reply === 'function' ? 'settled' : reply
    },

    async forceSettle(endpointId, jobId, outcome) {
      const settled = { kind: 'job-settled', endpointId, jobId } as const
      const input = { queue: keys.queue(endpointId), id: jobId, ending: toEnding(outcome), settled }
      const { result, heldBy, toRecord } = await run(forceSettleScript, input)
      const record = toRecord?.(jobId).record
      return { result, ...(heldBy === undefined ? {} : { heldBy }), ...(record === undefined ? {} : { record }) }
    },

    takeBack({ endpointId, jobId, workerId = '' }, { budget, evidence, withAll = false, withoutCost = false }) {
      const settled = { kind: 'job-settled', endpointId, jobId } as const
      const added = { kind: 'job-added', endpointId } as const
      const lost = { id: jobId, worker: workerId, budget, evidence, withAll, withoutCost, ending: toEnding({ status: 'FAILED' }) }
      return run(takeBackScript, { queue: keys.queue(endpointId), ...lost, settled, added })
    },

    async progress({ endpointId, jobId, workerId, output }) {
      const at = { endpointId, jobId }
      // Each value replaces the one before it, also as a blob: a worker has one name.
      const kept = await payloads.keep(at, () => `progress-${workerId}`, output)
      const input = { queue: keys.queue(endpointId), id: jobId, worker: workerId, leaseMs: options.leaseMs, progress: kept.text }
      const result = await run(progressScript, input)
      payloads.conclude(at, kept, result === 'settled')
      return result
    },

    ...createCallersWishes(context),
  }
}

function createCallersWishes(context: StoreContext): Pick<JobEnds, 'retry' | 'purge' | 'endPurged'> {
  const { keys, run, options } = context
  const toEnding = createToEnding(context)

  return {
    async retry(endpointId, id, counted) {
      const added = { kind: 'job-added', endpointId } as const
      const life = { id, now: Date.now(), ttlMs: DEFAULT_TTL_MS, ...queueLimits(options.retention), ...keyLimit(counted) }
      const reply = await run(retryScript, { queue: keys.queue(endpointId), ...life, added })
      return admitted(reply, options.retention, counted)
    },

    purge(endpointId) {
      const purged = { kind: 'queue-purged', endpointId } as const
      return run(purgeScript, { queue: keys.queue(endpointId), ending: toEnding(PURGED), purged })
    },

    async endPurged(endpointId, onEnded, signal) {
      for (;;) {
        const { isDone, rows } = await run(endPurgedScript, { queue: keys.queue(endpointId), limit: PURGED_AT_ONCE })
        const ended = rows.map(({ attempts, ...job }) => ({ ...job, ...PURGED, retries: retriesOf(attempts) }))
        if (ended.length > 0) await onEnded?.(ended)
        if (isDone || signal?.aborted === true) return
      }
    },
  }
}
