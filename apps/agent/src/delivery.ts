// Brings chunks and results to the gateway, in order. The first try goes straight from memory, so that a gateway that is there costs no
// disk; what it does not take now goes into the spool, and one loop with growing pauses delivers from there.
import { randomUUID } from 'node:crypto'
import { backoffMs, pause } from './backoff.ts'
import { toFailureBody, toFailureChunk } from './failure-body.ts'
import type { Gateway, TakenJob } from './gateway-client.ts'
import type { AgentLog } from './log.ts'
import type { EnvelopeName } from './settings.ts'
import type { Spool, SpoolEntry } from './spool.ts'

/** A refusal of a body that is small already is final. */
const SMALL_BYTES = 4096

export interface Delivery {
  /**
   * Resolves when the gateway or the spool has the chunk: while there is room, a generator does not wait for a gateway that is away. To a
   * sentence where the gateway refuses it for its size.
   */
  chunk(jobId: string, body: Buffer, stop: AbortSignal): Promise<string | undefined>
  /**
   * Resolves when the gateway has the result and all before it, has refused it, or does not want it any more (`stop`); to the next job where
   * the first try brought one.
   */
  done(
    result: Omit<SpoolEntry, 'kind' | 'post'>,
    how: { readonly stop: AbortSignal; readonly wantsNext: boolean },
  ): Promise<TakenJob | undefined>
  /** Forgets what is left of a job that was stopped. */
  abandon(): Promise<void>
  /** Delivers what an earlier agent left. */
  recover(stop: AbortSignal): Promise<void>
}

export interface DeliveryDeps {
  readonly gateway: Gateway
  readonly spool: Spool
  readonly log: AgentLog
  readonly envelope: EnvelopeName | undefined
}

export function createDelivery(deps: DeliveryDeps): Delivery {
  const { spool } = deps
  let pumping: Promise<void> | undefined

  /** One job is held at a time and the next begins when this has ended, so one signal stands for all that is in the spool. */
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
      // A try that comes again finds its gateway away or back a moment ago: the next job is then asked for by a poll.
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
    async chunk(jobId, body, stop) {
      return (await bring(toChunkEntry(jobId, body), { stop, wantsNext: false }))?.refused
    },
    async done(result, how) {
      const over = await bring({ kind: 'done', post: randomUUID(), ...result }, how)
      await pumping
      return over?.next
    },
    abandon: async () => pumping,
    async recover(stop) {
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

/** The gateway has the entry, or will never take it: `refused` says why. */
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

/** The generator has gone on meanwhile: a chunk that is refused now leaves an item in its place that SDK 2.0 raises on. */
async function postSpooled(deps: DeliveryDeps, entry: SpoolEntry, stop: AbortSignal): Promise<Posted> {
  const how = { stop, wantsNext: false }
  const posted = await post(deps, entry, how)
  if (posted.kind === 'again' || posted.refused === undefined || entry.kind === 'done') return posted
  return post(deps, { ...entry, body: toFailureChunk(posted.refused) }, how)
}

/** The job fails with a chunk that is too large (`refused`), and a result becomes an error, so that no stream has a gap unnoticed. */
async function refuseTooLarge(deps: DeliveryDeps, entry: SpoolEntry, stop: AbortSignal): Promise<Posted> {
  if (entry.body.length < SMALL_BYTES) return OVER
  const size = `${(entry.body.length / 2 ** 20).toFixed(1)} MiB on the wire, which is more than the gateway accepts`
  if (entry.kind === 'chunk') return { kind: 'over', refused: `the function yielded a value of ${size}` }
  const envelope = deps.envelope ?? (entry.isStream ? 'json' : 'flash')
  const { lastChunk, ...failure } = toFailureBody(envelope, `the function’s result is ${size}`, '')
  const how = { stop, wantsNext: false }
  const told = lastChunk === undefined ? OVER : await post(deps, toChunkEntry(entry.jobId, lastChunk), how)
  return told.kind === 'again' ? told : post(deps, { ...entry, ...failure }, how)
}
