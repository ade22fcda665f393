// Takes jobs and runs each in a slot, one slot unless the worker runs several jobs at a time (ADR 75). A slot takes its next job when the gateway has
// accepted or rejected its last result, or gets it with the response to it (ADR 28). One poll at a time asks for all free slots. While the gateway is
// unavailable, the loop waits with increasing pauses; a worker that the gateway no longer accepts retries slowly.
import { backoffMs, pause } from './backoff.ts'
import type { Delivery } from './delivery.ts'
import type { Gateway, TakeAnswer, TakenJob } from './gateway-client.ts'
import type { CurrentJob } from './current-job.ts'
import type { AgentLog } from './log.ts'
import type { Runner } from './runner.ts'

const UNWELCOME_PAUSE_MS = 10_000

export interface TakeLoopDeps {
  readonly gateway: Gateway
  /** One per slot: it delivers for one job at a time. */
  readonly slots: readonly Delivery[]
  readonly runner: Runner
  readonly held: CurrentJob
  readonly log: AgentLog
}

/** Runs until `drain` aborts; then finishes the current jobs and resolves. @throws Error with one sentence when jobs were lost together (ADR 34) */
export async function runTakeLoop(deps: TakeLoopDeps, drain: AbortSignal): Promise<void> {
  const free = [...deps.slots]
  const chains = new Set<Promise<void>>()
  const lost = new AbortController()
  const ends = AbortSignal.any([drain, lost.signal])
  const begin = (delivery: Delivery, first: TakenJob): void => {
    const chain = runChain({ ...deps, delivery }, first, ends)
      .catch((error: unknown) => lost.abort(error))
      .finally(() => {
        chains.delete(chain)
        free.push(delivery)
      })
    chains.add(chain)
  }
  let failures = 0
  while (!ends.aborted) {
    const delivery = free.pop()
    if (delivery === undefined) {
      await Promise.race(chains)
      continue
    }
    const answer = await deps.gateway.take(ends)
    if (answer.kind === 'job') begin(delivery, answer.job)
    else free.push(delivery)
    failures = answer.kind === 'away' ? failures + 1 : 0
    if (!ends.aborted) await pauseAfter(answer, failures, { log: deps.log, drain: ends })
  }
  // Results that are being delivered are not lost.
  await Promise.all(chains)
  lost.signal.throwIfAborted()
}

type ChainDeps = Omit<TakeLoopDeps, 'slots'> & { readonly delivery: Delivery }

async function runChain(deps: ChainDeps, first: TakenJob, drain: AbortSignal): Promise<void> {
  let job: TakenJob | undefined = first
  while (job !== undefined) job = await handleJob(deps, job, drain)
}

async function pauseAfter(answer: TakeAnswer, failures: number, { log, drain }: { log: AgentLog; drain: AbortSignal }): Promise<void> {
  if (answer.kind === 'away') {
    if (failures === 1) log.warn(`the gateway gives no job: ${answer.why}; retrying`)
    await pause(backoffMs(failures - 1, Math.random()), drain)
  }
  if (answer.kind === 'unwelcome') {
    log.warn(`the gateway does not know this worker any more (HTTP ${answer.status})`)
    await pause(UNWELCOME_PAUSE_MS, drain)
  }
}

/** Resolves to the job in the response to the result. A leased job is run even while draining, because no other worker can take it. */
async function handleJob(deps: ChainDeps, job: TakenJob, drain: AbortSignal): Promise<TakenJob | undefined> {
  const stop = deps.held.begin(job.id)
  let isLost = false
  try {
    const postChunk = async (body: Buffer) => deps.delivery.chunk(job.id, body, stop)
    const result = await deps.runner.run(job, { postChunk, signal: stop })
    if (result.kind === 'stopped') {
      deps.log.info('the job was stopped', job.id)
      await deps.delivery.abandon()
      return undefined
    }
    if (result.kind === 'lost') {
      isLost = true
      throw new Error(`${result.why}; it ran several jobs, so this worker ends, and each of them runs again alone`)
    }
    if (result.lastChunk !== undefined) await postChunk(result.lastChunk)
    return await deps.delivery.done({ jobId: job.id, ...result }, { stop, wantsNext: !drain.aborted })
  } finally {
    // The gateway takes a lost job back when this worker has ended, and not because a ping does not name it.
    if (!isLost) deps.held.end(job.id)
  }
}
