// Takes jobs one at a time, has each run, and delivers its result until the gateway has accepted or refused it.
// A gateway that is away makes it wait, never spin; a worker that is unwelcome asks again slowly.
import { backoffMs, pause } from './backoff.ts'
import { toFailureBody } from './failure-body.ts'
import type { Gateway, JobResult, TakeAnswer, TakenJob } from './gateway.ts'
import type { HeldJob } from './held-job.ts'
import type { AgentLog } from './log.ts'
import type { Runner } from './runner.ts'
import type { EnvelopeName } from './settings.ts'

const UNWELCOME_PAUSE_MS = 10_000

export interface TakeLoopDeps {
  readonly gateway: Gateway
  readonly runner: Runner
  readonly held: HeldJob
  readonly log: AgentLog
  readonly envelope: EnvelopeName | undefined
}

/** Runs until `drain` aborts; then finishes what it holds and resolves. */
export async function runTakeLoop(deps: TakeLoopDeps, drain: AbortSignal): Promise<void> {
  let failures = 0
  while (!drain.aborted) {
    const answer = await deps.gateway.take(drain)
    if (answer.kind === 'job') await handleJob(deps, answer.job)
    failures = answer.kind === 'away' ? failures + 1 : 0
    if (!drain.aborted) await pauseAfter(answer, failures, { log: deps.log, drain })
  }
}

async function pauseAfter(answer: TakeAnswer, failures: number, { log, drain }: { log: AgentLog; drain: AbortSignal }): Promise<void> {
  if (answer.kind === 'away') {
    if (failures === 1) log.warn(`the gateway gives no job: ${answer.why}; trying again`)
    await pause(backoffMs(failures - 1, Math.random()), drain)
  }
  if (answer.kind === 'unwelcome') {
    log.warn(`the gateway does not know this worker any more (HTTP ${answer.status})`)
    await pause(UNWELCOME_PAUSE_MS, drain)
  }
}

async function handleJob(deps: TakeLoopDeps, job: TakenJob): Promise<void> {
  const stop = deps.held.begin(job.id)
  try {
    const postChunk = async (body: Buffer) => deliverChunk(deps, { jobId: job.id, body }, stop)
    const result = await deps.runner.run(job, { postChunk, signal: stop })
    if (result.kind === 'stopped') {
      deps.log.info('the job was stopped; its process is killed', job.id)
      return
    }
    await deliver(deps, { jobId: job.id, ...result }, stop)
  } finally {
    deps.held.end(job.id)
  }
}

/** Keeps the result in memory and tries until it is accepted, refused, or not wanted any more. */
async function deliver(deps: TakeLoopDeps, result: JobResult, stop: AbortSignal): Promise<void> {
  for (let attempt = 0; !stop.aborted; attempt += 1) {
    const answer = await deps.gateway.done(result, stop)
    if (answer === 'accepted') return
    if (answer === 'too-large') {
      if (result.body.length < 4096) return
      const size = (result.body.length / 2 ** 20).toFixed(1)
      const envelope = deps.envelope ?? (result.isStream ? 'json' : 'flash')
      const error = `the function’s result is ${size} MiB on the wire, which is more than the gateway accepts`
      return deliver(deps, { ...result, ...toFailureBody(envelope, error, '') }, stop)
    }
    if ('rejected' in answer) {
      deps.log.error(`the gateway refused the result (HTTP ${answer.rejected}); it is dropped`, result.jobId)
      return
    }
    if (attempt === 0) deps.log.warn(`the result could not be delivered: ${answer.again}; trying again`, result.jobId)
    await pause(backoffMs(attempt, Math.random()), stop)
  }
}

/** A chunk that is refused is dropped, as the SDK does it; the list in the final result still has it. */
async function deliverChunk(deps: TakeLoopDeps, chunk: { jobId: string; body: Buffer }, stop: AbortSignal): Promise<void> {
  for (let attempt = 0; !stop.aborted; attempt += 1) {
    const answer = await deps.gateway.chunk(chunk.jobId, chunk.body, stop)
    if (typeof answer === 'string' || 'rejected' in answer) return
    await pause(backoffMs(attempt, Math.random()), stop)
  }
}
