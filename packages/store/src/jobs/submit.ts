// Adds a job to the queue in one step, with its deadline and its signal.
import type { JobSubmission } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { row, tagged, text, word, wordOr } from '../scripts/replies.ts'
import type { JobStore } from './jobs.ts'
import { NO_LIMIT } from './ending.ts'
import { jobLua } from './parts.ts'
import { admitted, keyLimit, QUEUE_LIMITS, queueLimits, REFUSALS, type CountedKey } from './queue-limits.ts'
import { packSubmission } from './stored-values.ts'

/** Total life of a job from its submission where the client names none (client-api §6). */
export const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000
/** Below every normal job, which has none; the lowest number runs first among those that have one. */
const LOW_PRIORITY = 1

/** A job as scripts read it. Its options are what sweeps, webhooks and its end need to know without reading its data. */
export const QUEUED_JOB = {
  id: 'text',
  name: 'text',
  data: 'text',
  opts: 'text',
  priority: 'digits',
  now: 'digits',
  deadline: 'digits',
  /** The API key that it counts for; empty: none. */
  key: 'text',
} as const

const submitScript = defineScript(
  {
    lua: new URL('./submit.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { job: QUEUED_JOB, ...QUEUE_LIMITS, keyJobs: 'number', added: 'signal' },
    reply: word('accepted', ...REFUSALS),
  },
  { added: 'when_sent' },
)

const submitOnceScript = defineScript(
  {
    lua: new URL('./submit-once.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: {
      job: QUEUED_JOB,
      ...QUEUE_LIMITS,
      keyJobs: 'number',
      key: 'text',
      fingerprint: 'text',
      windowMs: 'number',
      mostKeys: 'number',
      added: 'signal',
    },
    /** `differs`: the key stands for another request. */
    reply: wordOr(word('accepted', 'differs', ...REFUSALS), tagged({ repeated: row({ jobId: text }) })),
  },
  { added: 'when_sent' },
)

export function createJobSubmits(context: StoreContext): Pick<JobStore, 'submit' | 'submitOnce'> {
  const { keys, run, payloads, options } = context
  const limits = queueLimits(options.retention)
  const mostKeys = options.retention.idempotencyKeys ?? NO_LIMIT
  const prepare = async (endpointId: string, submission: JobSubmission, counted: CountedKey | undefined) => {
    const at = { endpointId, jobId: submission.id }
    const kept = await payloads.pack(at, packSubmission(submission))
    const added = { kind: 'job-added', endpointId } as const
    const { key, keyJobs } = keyLimit(counted)
    const job = { ...toQueued(submission, kept.text), key }
    return { at, kept, input: { queue: keys.queue(endpointId), job, keyJobs, ...limits, added } }
  }
  return {
    async submit(endpointId, submission, counted) {
      const { at, kept, input } = await prepare(endpointId, submission, counted)
      const [, reply] = await Promise.all([noteOutbox(context, endpointId, submission), run(submitScript, input)])
      payloads.conclude(at, kept, reply === 'accepted')
      admitted(reply, options.retention, counted)
    },

    async submitOnce(endpointId, submission, { counted, ...once }) {
      const { at, kept, input } = await prepare(endpointId, submission, counted)
      const running = run(submitOnceScript, { ...input, ...once, mostKeys })
      const [, reply] = await Promise.all([noteOutbox(context, endpointId, submission), running])
      payloads.conclude(at, kept, reply === 'accepted')
      if (typeof reply === 'object') return { kind: 'repeated', jobId: reply.jobId }
      return { kind: admitted(reply, options.retention, counted) }
    },
  }
}

/** The set of outboxes lies in another slot, so no script can write it beside the job; an outbox that stays empty is harmless. */
export async function noteOutbox({ client, keys }: StoreContext, endpointId: string, { webhook }: JobSubmission): Promise<void> {
  if (webhook !== undefined) await client.sadd(keys.webhooks.endpoints, endpointId)
}

export function toQueued(submission: JobSubmission, data: string, keepMs?: number) {
  const now = Date.now()
  const { id, sync, policy, webhook } = submission
  const { executionTimeoutMs, ttlMs } = policy
  const priority = policy.lowPriority === true ? LOW_PRIORITY : 0
  // The receiver's host and port: the end of the job is delivered in its lane (`outbox.lua`).
  const lane = webhook && new URL(webhook.url).host
  const opts = JSON.stringify({ priority, executionTimeoutMs, ttlMs, webhook: lane, keepMs })
  return { id, name: sync ? 'sync' : 'async', data, opts, priority, now, deadline: now + (ttlMs ?? DEFAULT_TTL_MS), key: '' }
}
