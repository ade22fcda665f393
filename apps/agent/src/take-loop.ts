// Takes and runs jobs, one at a time. The next job is taken when the gateway has accepted or rejected the last result, or arrives with the response
// to it (ADR 28). While the gateway is unavailable, the loop waits with increasing pauses; a worker that the gateway no longer accepts retries slowly.
import { backoffMs, pause } from './backoff.ts'
import type { Delivery } from './delivery.ts'
import type { Gateway, TakeAnswer, TakenJob } from './gateway-client.ts'
import type { CurrentJob } from './current-job.ts'
import type { AgentLog } from './log.ts'
import type { Runner } from './runner.ts'

const UNWELCOME_PAUSE_MS = 10_000

export interface TakeLoopDeps {
  readonly gateway: Gateway
  readonly delivery: Delivery
  readonly runner: Runner
  readonly held: CurrentJob
  readonly log: AgentLog
}

/** Runs until `drain` aborts; then finishes the current job and resolves. */
export async function runTakeLoop(deps: TakeLoopDeps, drain: AbortSignal): Promise<void> {
  let failures = 0
  while (!drain.aborted) {
    const answer = await deps.gateway.take(drain)
    let job = answer.kind === 'job' ? answer.job : undefined
    while (job !== undefined) job = await handleJob(deps, job, drain)
    failures = answer.kind === 'away' ? failures + 1 : 0
    if (!drain.aborted) await pauseAfter(answer, failures, { log: deps.log, drain })
  }
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
async function handleJob(deps: TakeLoopDeps, job: TakenJob, drain: AbortSignal): Promise<TakenJob | undefined> {
  const stop = deps.held.begin(job.id)
  try {
    const postChunk = async (body: Buffer) => deps.delivery.chunk(job.id, body, stop)
    const result = await deps.runner.run(job, { postChunk, signal: stop })
    if (result.kind === 'stopped') {
      deps.log.info('the job was stopped; its process is killed', job.id)
      await deps.delivery.abandon()
      return undefined
    }
    if (result.lastChunk !== undefined) await postChunk(result.lastChunk)
    return await deps.delivery.done({ jobId: job.id, ...result }, { stop, wantsNext: !drain.aborted })
  } finally {
    deps.held.end(job.id)
  }
}
