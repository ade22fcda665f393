// Adds a job to the queue in one step, with its deadline and its signal.
import type { JobSubmission } from '@runyard/schema'
import type { JobAt, Kept } from '../blobs/payloads.ts'
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
    onlyIfAwaited: true,
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
    onlyIfAwaited: true,
    /** `differs`: the key stands for another request. */
    reply: wordOr(word('accepted', 'differs', ...REFUSALS), tagged({ repeated: row({ jobId: text }) })),
  },
  { added: 'when_sent' },
)

export function createJobSubmits(context: StoreContext): Pick<JobStore, 'submit' | 'submitOnce'> {
  const { keys, run, payloads, options } = context
  const limits = queueLimits(options.retention)
  const mostKeys = options.retention.idempotencyKeys ?? NO_LIMIT
  const inputOf = (at: JobAt, submission: JobSubmission, { kept, counted }: { kept: Kept; counted: CountedKey | undefined }) => {
    const added = { kind: 'job-added', endpointId: at.endpointId } as const
    const { key, keyJobs } = keyLimit(counted)
    const job = { ...toQueued(submission, kept.text), key }
    return { queue: keys.queue(at.endpointId), job, keyJobs, ...limits, added }
  }
  // Every job passes here, most of them small and without a webhook: no turn is waited for that is not needed.
  const packed = (at: JobAt, submission: JobSubmission) => payloads.pack(at, packSubmission(submission))
  return {
    async submit(endpointId, submission, counted) {
      const at = { endpointId, jobId: submission.id }
      const packing = packed(at, submission)
      const kept = packing instanceof Promise ? await packing : packing
      const noted = noteOutbox(context, endpointId, submission)
      const running = run(submitScript, inputOf(at, submission, { kept, counted }))
      const reply = await (noted === undefined ? running : after(noted, running))
      payloads.conclude(at, kept, reply === 'accepted')
      admitted(reply, options.retention, counted)
    },

    async submitOnce(endpointId, submission, { counted, ...once }) {
      const at = { endpointId, jobId: submission.id }
      const kept = await packed(at, submission)
      const noted = noteOutbox(context, endpointId, submission)
      const running = run(submitOnceScript, { ...inputOf(at, submission, { kept, counted }), ...once, mostKeys })
      const reply = await after(noted, running)
      payloads.conclude(at, kept, reply === 'accepted')
      if (typeof reply === 'object') return { kind: 'repeated', jobId: reply.jobId }
      return { kind: admitted(reply, options.retention, counted) }
    },
  }
}

/** The set of outboxes lies in another slot, so no script can write it beside the job; an outbox that stays empty is harmless. */
export function noteOutbox({ client, keys }: StoreContext, endpointId: string, { webhook }: JobSubmission): Promise<unknown> | undefined {
  return webhook && client.sadd(keys.webhooks.endpoints, endpointId)
}

/** The reply, when the outbox is noted, too. */
async function after<R>(noted: Promise<unknown> | undefined, running: Promise<R>): Promise<R> {
  const [reply] = await Promise.all([running, noted])
  return reply
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
