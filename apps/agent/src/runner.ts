// Runs one job at a time in a Python child and returns the body of job-done, even if user code ends the child.
import type { JobTimings } from '@runyard/schema'
import type { ChildPool, ReadyChild } from './child-pool.ts'
import { type BoardNote, exitMessage, type ChildExit, readCgroupMemory } from './exit-message.ts'
import { toFailureBody, type DoneBody } from './failure-body.ts'
import type { Frame } from './frames.ts'
import type { TakenJob } from './gateway-client.ts'
import type { OutputPipe } from './output-pipe.ts'
import type { RunnerChild } from './runner-child.ts'
import type { EnvelopeName, Settings } from './settings.ts'

/** Maximum wait for a marker after the frame or report that announces it. A lost supervisor writes none. */
const MARKER_LIMIT_MS = 2000
const LOST_MARKER_LIMIT_MS = 20

/** How often a job is retried in a fresh child if the child dies before it starts the job. */
const START_TRIES = 5

export type RunResult = (DoneBody & { readonly kind: 'done'; readonly timings: JobTimings | undefined }) | { readonly kind: 'stopped' }

export interface RunOptions {
  /** Resolves to a sentence if the gateway rejects the chunk for good. The function then fails with it. */
  readonly postChunk: (body: Buffer) => Promise<string | undefined>
  /** Aborts when the job is stopped. Its process is then killed. */
  readonly signal: AbortSignal
}

export interface Runner {
  /** Starts Python and the first child unless they run already. Resolves with Python's version. @throws Error with one sentence. */
  warmUp(): Promise<string>
  run(job: TakenJob, options: RunOptions): Promise<RunResult>
  /** Kills the child and all processes of user code. */
  end(): Promise<void>
}

export function createRunner(supply: ChildPool, settings: Pick<Settings, 'envelope' | 'memoryBytes' | 'preloads'>): Runner {
  // Read at the start and after each death. Reading it per job would take a tenth of a warm call.
  let oomKills = readCgroupMemory().oomKills
  const explainExit = (exit: ChildExit, note: BoardNote) => {
    const memory = readCgroupMemory()
    const oomKilled = exit.signal === 'SIGKILL' && memory.oomKills !== undefined && memory.oomKills > (oomKills ?? memory.oomKills)
    oomKills = memory.oomKills
    return exitMessage(exit, { oomKilled, limitBytes: settings.memoryBytes ?? memory.limitBytes, note })
  }
  return {
    warmUp: async () => (await supply.get()).supervisor.pythonVersion,
    async run(job, options) {
      const envelope = settings.envelope ?? detectEnvelope(job)
      for (let attempt = 1; ; attempt += 1) {
        let ready: ReadyChild
        try {
          ready = await supply.get()
        } catch (error) {
          return toFailure(envelope, error instanceof Error ? error.message : String(error), '')
        }
        const { result, spent } = await runInChild(ready, {
          job,
          envelope,
          options,
          explainExit,
          preloads: settings.preloads,
          isLastTry: attempt === START_TRIES,
        })
        if (spent) supply.replace()
        if (result !== undefined) return result
      }
    },
    end: async () => supply.end(),
  }
}

function detectEnvelope(job: TakenJob): EnvelopeName {
  return job.format === 'json' ? 'json' : 'flash'
}

interface Attempt {
  readonly job: TakenJob
  readonly envelope: EnvelopeName
  readonly options: RunOptions
  readonly explainExit: (exit: ChildExit, note: BoardNote) => string
  /** Modules were imported before the fork. */
  readonly preloads: boolean
  readonly isLastTry: boolean
}

interface AttemptResult {
  /** Undefined: the child died before it started this job, so the job is not the cause. */
  readonly result: RunResult | undefined
  /** The child has ended, so the next job needs a fresh one. */
  readonly spent: boolean
}

async function runInChild(ready: ReadyChild, attempt: Attempt): Promise<AttemptResult> {
  const { supervisor, child } = ready
  const { output } = supervisor
  const jobId = attempt.job.id
  output.beginCapture(jobId)
  const hints: string[] = []
  const moved = Promise.withResolvers<'moved'>()
  const ending = Promise.race([frameOf({ child, output, hints, moved }, attempt), child.exited, aborted(attempt.options.signal)])
  child.send({ kind: 'job', id: attempt.job.id, envelope: attempt.envelope }, attempt.job.raw)
  const end = await ending
  if (end === 'aborted') {
    await supervisor.kill(child)
    await output.endCapture(jobId, { marker: `exit:${child.generation}`, timeoutMs: LOST_MARKER_LIMIT_MS })
    return { result: { kind: 'stopped' }, spent: true }
  }
  if ('exitCode' in end) {
    const timeoutMs = end.supervisorLost ? LOST_MARKER_LIMIT_MS : MARKER_LIMIT_MS
    const stdout = await output.endCapture(jobId, { marker: `exit:${child.generation}`, timeoutMs })
    const note = supervisor.boardOf(child)
    if (note.phase === 'waiting' && !attempt.isLastTry) return { result: undefined, spent: true }
    return { result: toFailure(attempt.envelope, [attempt.explainExit(end, note), ...hints].join('; '), stdout), spent: true }
  }
  if (end.header.kind === 'again') return beginAgain(ready, attempt)
  const stdout = await output.endCapture(jobId, { marker: `done:${jobId}`, timeoutMs: MARKER_LIMIT_MS })
  // The job left processes. Their output would count as output of the next job until the child has changed its pipe.
  if (end.header.pipeFollows === true) await Promise.race([moved.promise, child.exited])
  const spent = end.header.fresh === true
  if (spent) await supervisor.kill(child)
  return { result: toDone(end, stdout), spent }
}

/** The job's dependencies replaced versions of modules that are loaded. Only a process that has not imported them can run it. */
async function beginAgain({ supervisor, child }: ReadyChild, { job, envelope, preloads, isLastTry }: Attempt): Promise<AttemptResult> {
  await supervisor.kill(child)
  const stdout = await supervisor.output.endCapture(job.id, { marker: `exit:${child.generation}`, timeoutMs: MARKER_LIMIT_MS })
  // What was preloaded is of the old version in every fork.
  if (preloads) await supervisor.discard()
  const why = 'a package that Python imports as it starts cannot be given another version: name it without one, or use another image'
  return { result: isLastTry ? toFailure(envelope, why, stdout) : undefined, spent: true }
}

interface Listening {
  readonly child: RunnerChild
  readonly output: OutputPipe
  /** Collected while the job runs. */
  readonly hints: string[]
  readonly moved: PromiseWithResolvers<'moved'>
}

/** Resolves with the `done` frame and forwards chunks, one at a time. Keeps listening, because a child may change its pipe between two jobs. */
async function frameOf({ child, output, hints, moved }: Listening, { job, options }: Attempt): Promise<Frame> {
  return new Promise((resolve) => {
    child.onFrame((frame) => {
      if (frame.header.kind === 'output') {
        output.follow(String(frame.header.path))
        moved.resolve('moved')
      }
      if (frame.header.id !== job.id) return
      if (frame.header.kind === 'done' || frame.header.kind === 'again') resolve(frame)
      if (frame.header.kind === 'hint') hints.push(String(frame.header.text))
      if (frame.header.kind === 'chunk') {
        void options.postChunk(frame.body).then((refused) => child.send({ kind: 'ack', refused }, Buffer.alloc(0)))
      }
    })
  })
}

async function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
}

function toFailure(envelope: EnvelopeName, error: string, stdout: string): RunResult {
  return { kind: 'done', timings: undefined, ...toFailureBody(envelope, error, stdout) }
}

function toDone({ header, body }: Frame, stdout: string): RunResult {
  const at = header.stdoutAt
  const timings: { enteredAt?: number; returnedAt?: number } = {}
  if (typeof header.enteredAt === 'number') timings.enteredAt = header.enteredAt
  if (typeof header.returnedAt === 'number') timings.returnedAt = header.returnedAt
  const filled =
    typeof at === 'number' ? Buffer.concat([body.subarray(0, at), Buffer.from(JSON.stringify(stdout), 'utf8'), body.subarray(at)]) : body
  return { kind: 'done', body: filled, isStream: header.isStream === true, timings }
}
