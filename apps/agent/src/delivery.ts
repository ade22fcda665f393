// Delivers chunks and results to the gateway, in order. The first attempt is made from memory, so that no disk is used while the gateway is
// available. Entries that fail go to the spool, from which one loop delivers them with increasing pauses.
import { randomUUID } from 'node:crypto'
import { backoffMs, pause } from './backoff.ts'
import { toFailureBody, toFailureChunk } from './failure-body.ts'
import type { Gateway, TakenJob } from './gateway-client.ts'
import type { AgentLog } from './log.ts'
import type { EnvelopeName } from './settings.ts'
import type { Spool, SpoolEntry } from './spool.ts'

/** If the gateway rejects a small body, the rejection is final. */
const SMALL_BYTES = 4096

export type Delivery = ReturnType<typeof createDelivery>

export interface DeliveryDeps {
  readonly gateway: Gateway
  readonly spool: Spool
  readonly log: AgentLog
  readonly envelope: EnvelopeName | undefined
}

export function createDelivery(deps: DeliveryDeps) {
  const { spool } = deps
  let pumping: Promise<void> | undefined

  /** Only one job runs at a time, so one signal applies to all entries in the spool. */
  async function pump(stop: AbortSignal): Promise<void> {
    for (let attempt = 0, entry = spool.first(); entry !== undefined; entry = spool.first()) {
      if (stop.aborted) spool.dropJob(entry.jobId)
      else if ((await postSpooled(deps, entry, stop)).kind === 'over') {
        spool.dropFirst()
        attempt = 0
      } else await pause(backoffMs(attempt++, Math.random()), stop)
    }
    pumping = undefined
  }

  async function bring(entry: SpoolEntry, { stop, wantsNext }: HowToPost): Promise<Over | undefined> {
    for (let attempt = 0; !stop.aborted; attempt += 1) {
      const isNext = spool.isEmpty()
      // A retry does not ask for the next job, because the gateway is overloaded or has just restarted. The next poll does.
      const posted = isNext ? await post(deps, entry, { stop, wantsNext: wantsNext && attempt === 0 }) : NOT_ITS_TURN
      if (posted.kind === 'over') return posted
      if (stop.aborted) return undefined
      const isKept = spool.add(entry)
      if (isNext && attempt === 0) deps.log.warn(toWarning(entry, posted.why, isKept), entry.jobId)
      if (isKept) {
        pumping ??= pump(stop)
        return undefined
      }
      await pause(backoffMs(attempt, Math.random()), stop)
    }
    return undefined
  }

  return {
    /**
     * Resolves when the gateway or the spool has the chunk, so a generator waits for an unavailable gateway only if the spool is full. Resolves to
     * a sentence if the gateway rejects the chunk for its size.
     */
    async chunk(jobId: string, body: Buffer, stop: AbortSignal): Promise<string | undefined> {
      return (await bring(toChunkEntry(jobId, body), { stop, wantsNext: false }))?.refused
    },
    /**
     * Resolves when the gateway has accepted or rejected the result and all earlier entries, or when the job was stopped (`stop`). Resolves to the
     * next job if the response to the first attempt contains one.
     */
    async done(
      result: Omit<SpoolEntry, 'kind' | 'post'>,
      how: { readonly stop: AbortSignal; readonly wantsNext: boolean },
    ): Promise<TakenJob | undefined> {
      const over = await bring({ kind: 'done', post: randomUUID(), ...result }, how)
      await pumping
      return over?.next
    },
    /** Drops undelivered entries of a stopped job. */
    abandon: async (): Promise<void> => pumping,
    /** Delivers entries that an earlier agent left. */
    async recover(stop: AbortSignal): Promise<void> {
      pumping ??= pump(stop)
      await pumping
    },
  }
}

function toWarning({ kind }: SpoolEntry, why: string, isKept: boolean): string {
  const what = kind === 'done' ? 'result' : 'chunk'
  return `the ${what} could not be delivered: ${why}; it is kept ${isKept ? 'on disk' : 'in memory'} and tried again`
}

interface HowToPost {
  readonly stop: AbortSignal
  readonly wantsNext: boolean
}

function toChunkEntry(jobId: string, body: Buffer): SpoolEntry {
  return { kind: 'chunk', jobId, body, post: randomUUID(), isStream: true, timings: undefined }
}

/** The gateway has accepted the entry, or rejected it for good; `refused` is the reason. */
interface Over {
  readonly kind: 'over'
  readonly next?: TakenJob
  readonly refused?: string
}

type Posted = Over | { readonly kind: 'again'; readonly why: string }

const OVER: Posted = { kind: 'over' }
const NOT_ITS_TURN: Posted = { kind: 'again', why: 'it is not its turn' }

async function post(deps: DeliveryDeps, entry: SpoolEntry, { stop, wantsNext }: HowToPost): Promise<Posted> {
  const { gateway, log } = deps
  const answer = entry.kind === 'chunk' ? await gateway.chunk(entry, stop) : await gateway.done({ ...entry, wantsNext }, stop)
  if (answer === 'accepted') return OVER
  if (answer === 'too-large') return refuseTooLarge(deps, entry, stop)
  if ('next' in answer) return { kind: 'over', next: answer.next }
  if ('again' in answer) return { kind: 'again', why: answer.again }
  if (entry.kind === 'done') log.error(`the gateway refused the result (HTTP ${answer.rejected}); it is dropped`, entry.jobId)
  return OVER
}

/** The generator has continued meanwhile, so an error item replaces a rejected chunk. SDK 2.0 raises an error for it. */
async function postSpooled(deps: DeliveryDeps, entry: SpoolEntry, stop: AbortSignal): Promise<Posted> {
  const how = { stop, wantsNext: false }
  const posted = await post(deps, entry, how)
  if (posted.kind === 'again' || posted.refused === undefined || entry.kind === 'done') return posted
  return post(deps, { ...entry, body: toFailureChunk(posted.refused) }, how)
}

/** A chunk that is too large (`refused`) fails the job, and a result that is too large becomes an error, so that no gap stays unnoticed. */
async function refuseTooLarge(deps: DeliveryDeps, entry: SpoolEntry, stop: AbortSignal): Promise<Posted> {
  if (entry.body.length < SMALL_BYTES) return OVER
  const size = `${(entry.body.length / 2 ** 20).toFixed(1)} MiB on the wire, which is more than the gateway accepts`
  if (entry.kind === 'chunk') return { kind: 'over', refused: `the function yielded a value of ${size}` }
  const envelope = deps.envelope ?? (entry.isStream ? 'json' : 'flash')
  const { lastChunk, ...failure } = toFailureBody(envelope, `the function’s result is ${size}`, '')
  const how = { stop, wantsNext: false }
  const posted = lastChunk === undefined ? OVER : await post(deps, toChunkEntry(entry.jobId, lastChunk), how)
  return posted.kind === 'again' ? posted : post(deps, { ...entry, ...failure }, how)
}
