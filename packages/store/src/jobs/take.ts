// Out of the queue to a worker: take, give back, renew, heartbeat. A take sets the lease; only a sign of the worker renews it.
import type { StoreContext } from '../context.ts'
import { PATCH_WORKER } from '../scripts/records.ts'
import { GIVE_BACK } from '../scripts/returns.ts'
import { TAKE } from '../scripts/takes.ts'
import { HEARTBEAT, RENEW } from '../scripts/worker-writes.ts'
import { INPUT_GONE, readSubmission } from './stored-values.ts'
import { toLease, type LeaseRow } from './sweep.ts'
import type { JobStore } from '../types.ts'

type Takes = Pick<JobStore, 'take' | 'giveBack' | 'renew' | 'heartbeat'>

export function createJobTakes(context: StoreContext, { settle }: Pick<JobStore, 'settle'>): Takes {
  const { keys, run, payloads, options } = context
  const takes: Takes = {
    async take(endpointId, workerId) {
      const row = await takeRow(context, endpointId, workerId)
      if (row === undefined || row === null) return row
      const [jobId, data, submittedAt, startedAt, attempts, opts] = row
      const handed = { endpointId, workerId, jobId }
      const { notFor = [] } = JSON.parse(opts) as { notFor?: readonly string[] }
      if (notFor.includes(workerId)) return replaceAndGiveBack(context, handed)
      const submission = await readSubmission(payloads, handed, data).catch(async (error: unknown) => {
        await giveBack(context, handed)
        throw error
      })
      if (submission === undefined) {
        await settle(endpointId, jobId, workerId, INPUT_GONE)
        return takes.take(endpointId, workerId)
      }
      return {
        id: jobId,
        submission,
        submittedAt: Number(submittedAt),
        startedAt: Number(startedAt),
        attempt: Number(attempts),
      }
    },

    giveBack: (endpointId, jobId, workerId) => giveBack(context, { endpointId, jobId, workerId }),

    async renew(endpointId, workerId, jobIds) {
      if (jobIds.length === 0) return []
      return (await run(RENEW, [keys.queue(endpointId)], [workerId, options.leaseMs, ...jobIds])) as readonly string[]
    },

    async heartbeat(endpointId, workerId, { jobIds, withLeases }) {
      const args = [workerId, options.leaseMs, Date.now(), withLeases ? 1 : 0, ...jobIds]
      const reply: unknown = await run(HEARTBEAT, [keys.queue(endpointId)], args)
      const [notHeld, rows] = reply as readonly [readonly string[], readonly LeaseRow[] | null]
      return { notHeld, leases: rows?.map((row) => toLease(endpointId, row)) }
    },
  }
  return takes
}

type TakenRow = readonly [jobId: string, data: string, submittedAt: string, startedAt: string, attempts: string, options: string]

async function takeRow({ keys, run, options }: StoreContext, endpointId: string, workerId: string): Promise<TakenRow | undefined | null> {
  for (;;) {
    const reply = await run(TAKE, [keys.queue(endpointId)], [workerId, Date.now(), options.leaseMs])
    if (reply === 'not_now') return null
    if (Array.isArray(reply)) return reply as unknown as TakenRow
    if (reply !== 'again') return undefined
  }
}

interface Handed {
  readonly endpointId: string
  readonly jobId: string
  readonly workerId: string
}

async function giveBack({ keys, run, signals }: StoreContext, { endpointId, jobId, workerId }: Handed): Promise<void> {
  const signal = { kind: 'job-added', endpointId } as const
  const wentBack = await run(GIVE_BACK, [keys.queue(endpointId)], [jobId, workerId, signals.channel, signals.encode(signal)])
  if (wentBack === 1) signals.deliver(signal)
}

/** This worker held the job before it was retried (`RETRY`): it is replaced first, or the job would wait for ever where it is the only one. */
async function replaceAndGiveBack(context: StoreContext, handed: Handed): Promise<undefined> {
  const { keys, run, signals } = context
  const { endpointId, workerId } = handed
  const signal = { kind: 'worker-changed', endpointId, workerId } as const
  const told = [signals.channel, signals.encode(signal)]
  const isWritten = await run(PATCH_WORKER, [keys.worker(endpointId, workerId)], ['', ...told, 'refreshRequested', 'true'])
  if (isWritten === 1) signals.deliver(signal)
  await giveBack(context, handed)
}
