// Jobs on their way from the queue to a worker: take, give back, renew, heartbeat. A take sets the lease; only a sign of life renews it.
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, maybe, number, row, text, word, wordOr } from '../scripts/replies.ts'
import type { HeldJob, JobStore } from './jobs.ts'
import { patchScript } from '../workers/workers.ts'
import { leaseRow, readOptions, toLease } from './lease.ts'
import { bullTakeLua, jobLua, leaseLua } from './parts.ts'
import { INPUT_GONE, readSubmission } from './stored-values.ts'

const takeScript = defineScript({
  lua: new URL('./take.lua', import.meta.url),
  uses: [bullTakeLua],
  keys: ['queue'],
  args: { worker: 'text', now: 'digits', leaseMs: 'number' },
  onlyIfAwaited: true,
  /**
   * Undefined where no job waits; `not_now` where jobs wait that are not for this worker at present; `again` where more jobs are past their deadline
   * than one script ends.
   */
  reply: maybe(
    wordOr(
      word('not_now', 'again'),
      row({ jobId: text, data: text, submittedAt: number, startedAt: number, attempt: number, options: text }),
    ),
  ),
})

const giveBackScript = defineScript(
  {
    lua: new URL('./give-back.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: { id: 'text', worker: 'text', added: 'signal' },
    reply: flag,
  },
  { added: (wentBack) => wentBack },
)

const renewScript = defineScript({
  lua: new URL('./renew.lua', import.meta.url),
  uses: [leaseLua],
  keys: ['queue'],
  args: { worker: 'text', leaseMs: 'digits', ids: 'texts' },
  /** Those that the worker does not hold. */
  reply: list(text),
})

const heartbeatScript = defineScript({
  lua: new URL('./heartbeat.lua', import.meta.url),
  uses: [leaseLua],
  keys: ['queue'],
  args: { worker: 'text', leaseMs: 'digits', now: 'digits', withLeases: 'flag', ids: 'texts' },
  reply: row({ notHeld: list(text), leases: maybe(list(leaseRow)) }),
})

type Takes = Pick<JobStore, 'take' | 'giveBack' | 'renew' | 'heartbeat'>

export function createJobTakes(context: StoreContext, { settle }: Pick<JobStore, 'settle'>): Takes {
  const { keys, run, payloads, options } = context
  const takes: Takes = {
    async take(endpointId, workerId) {
      const taken = await takeRow(context, endpointId, workerId)
      if (taken === undefined || taken === null) return taken
      const { jobId, data, submittedAt, startedAt, attempt } = taken
      const handed = { endpointId, workerId, jobId }
      const { notFor = [] } = readOptions(taken.options)
      if (notFor.includes(workerId)) return replaceAndGiveBack(context, handed)
      const submission = await readSubmission(payloads, handed, data).catch(async (error: unknown) => {
        await giveBack(context, handed)
        throw error
      })
      if (submission === undefined) {
        await settle({ ...handed, outcome: INPUT_GONE })
        return takes.take(endpointId, workerId)
      }
      return { id: jobId, submission, submittedAt, startedAt, attempt }
    },

    giveBack: (endpointId, jobId, workerId) => giveBack(context, { endpointId, jobId, workerId }),

    async renew(endpointId, workerId, ids) {
      if (ids.length === 0) return []
      return run(renewScript, { queue: keys.queue(endpointId), worker: workerId, leaseMs: options.leaseMs, ids })
    },

    async heartbeat(endpointId, workerId, { jobIds: ids, withLeases }) {
      const sign = { worker: workerId, leaseMs: options.leaseMs, now: Date.now(), withLeases, ids }
      const { notHeld, leases } = await run(heartbeatScript, { queue: keys.queue(endpointId), ...sign })
      return { notHeld, leases: leases?.map((lease) => toLease(endpointId, lease)) }
    },
  }
  return takes
}

async function takeRow({ keys, run, options }: StoreContext, endpointId: string, worker: string) {
  for (;;) {
    const reply = await run(takeScript, { queue: keys.queue(endpointId), worker, now: Date.now(), leaseMs: options.leaseMs })
    if (reply === 'not_now') return null
    if (reply !== 'again') return reply
  }
}

async function giveBack({ keys, run }: StoreContext, { endpointId, jobId, workerId }: HeldJob): Promise<void> {
  await run(giveBackScript, { queue: keys.queue(endpointId), id: jobId, worker: workerId, added: { kind: 'job-added', endpointId } })
}

/** This worker held the job before it was retried (`retry.lua`): it is replaced first, or the job would wait for ever where it is the only one. */
async function replaceAndGiveBack(context: StoreContext, handed: HeldJob): Promise<undefined> {
  const { keys, run } = context
  const { endpointId, workerId } = handed
  const changed = { kind: 'worker-changed', endpointId, workerId } as const
  const fields = ['refreshRequested', 'true']
  await run(patchScript, { worker: keys.worker(endpointId, workerId), unless: '', quiet: false, fields, changed })
  await giveBack(context, handed)
}
