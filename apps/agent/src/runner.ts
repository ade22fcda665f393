// Runs a job in a Python child and returns the body of job-done, even if user code ends the child. Jobs of one child share it (`crew.ts`).
import type { JobTimings } from '@runyard/schema'
import { errorMessage } from '@runyard/schema/errors'
import type { ChildPool, ReadyChild } from './child-pool.ts'
import { createCrew, type Crew } from './crew.ts'
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

export type RunResult =
  | (DoneBody & { readonly kind: 'done'; readonly timings: JobTimings | undefined })
  | { readonly kind: 'stopped' }
  /** The child died while it ran this job and others: nothing shows which one is the cause. */
  | { readonly kind: 'lost'; readonly why: string }

export interface RunOptions {
  /** Resolves to a sentence if the gateway rejects the chunk for good. The function then fails with it. */
  readonly postChunk: (body: Buffer) => Promise<string | undefined>
  /** Aborts when the job is stopped. Its process is then killed. */
  readonly signal: AbortSignal
}

export type Runner = ReturnType<typeof createRunner>

export function createRunner(supply: ChildPool, settings: Pick<Settings, 'envelope' | 'memoryBytes' | 'preloads'>) {
  // Read at the start and after each death. Reading it per job would take a tenth of a warm call.
  let oomKills = readCgroupMemory().oomKills
  const explainExit = (exit: ChildExit, note: BoardNote) => {
    const memory = readCgroupMemory()
    const oomKilled = exit.signal === 'SIGKILL' && memory.oomKills !== undefined && memory.oomKills > (oomKills ?? memory.oomKills)
    oomKills = memory.oomKills
    return exitMessage(exit, { oomKilled, limitBytes: settings.memoryBytes ?? memory.limitBytes, note })
  }
  const join = createJoin(supply)
  return {
    /** Starts Python and the first child unless they run already. @throws Error with one sentence. */
    async warmUp(): Promise<{ readonly pythonVersion: string; readonly slots: number }> {
      const { supervisor, child } = await supply.get()
      return { pythonVersion: supervisor.pythonVersion, slots: child.slots }
    },
    async run(job: TakenJob, options: RunOptions): Promise<RunResult> {
      const envelope = settings.envelope ?? detectEnvelope(job)
      for (let attempt = 1; ; attempt += 1) {
        let place: Place
        try {
          place = await join(job.id)
        } catch (error) {
          return toFailure(envelope, errorMessage(error), '')
        }
        const isLastTry = attempt === START_TRIES
        const { preloads } = settings
        const { result, spent } = await runInChild(place, { job, envelope, options, explainExit, preloads, isLastTry })
        place.crew.end(job.id)
        if (spent) supply.replace(place.child)
        if (result !== undefined) return result
      }
    },
    /** Kills the child and all processes of user code. */
    end: async (): Promise<void> => supply.end(),
  }
}

function detectEnvelope(job: TakenJob): EnvelopeName {
  return job.format === 'json' ? 'json' : 'flash'
}

interface Place extends ReadyChild {
  readonly crew: Crew
}

/** A place for a job in the current child, as soon as there is one. */
function createJoin(supply: ChildPool): (jobId: string) => Promise<Place> {
  const crews = new WeakMap<ReadyChild['child'], Crew>()
  return async (jobId) => {
    for (;;) {
      const ready = await supply.get()
      const crew = crews.get(ready.child) ?? createCrew(ready.child)
      crews.set(ready.child, crew)
      if (crew.begin(jobId)) return { ...ready, crew }
      await crew.room()
    }
  }
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

async function runInChild(place: Place, attempt: Attempt): Promise<AttemptResult> {
  const { supervisor, child, crew } = place
  const { output } = supervisor
  const jobId = attempt.job.id
  output.beginCapture(jobId)
  const hints: string[] = []
  const moved = Promise.withResolvers<'moved'>()
  const ending = Promise.race([frameOf({ child, output, hints, moved }, attempt), child.exited])
  child.send({ kind: 'job', id: attempt.job.id, envelope: attempt.envelope }, attempt.job.raw)
  const end = await Promise.race([ending, aborted(attempt.options.signal)])
  if (end === 'aborted') return stop(place, jobId, ending)
  if ('exitCode' in end) return explain(place, attempt, { exit: end, hints })
  if (end.header.kind === 'again') return beginAgain(place, attempt)
  const stdout = await output.endCapture(jobId, { marker: `done:${jobId}`, timeoutMs: MARKER_LIMIT_MS })
  // The job left processes. Their output would count as output of the next job until the child has changed its pipe.
  if (end.header.pipeFollows === true) await Promise.race([moved.promise, child.exited])
  const spent = crew.isSpent(end.header.fresh === true)
  if (spent) await supervisor.kill(child)
  return { result: toDone(end, stdout), spent }
}

async function stop({ supervisor, child, crew }: Place, jobId: string, ending: Promise<Frame | ChildExit>): Promise<AttemptResult> {
  const spent = !(await crew.stop(jobId, ending)) || child.hasExited()
  if (spent) await supervisor.kill(child)
  const marker = spent ? `exit:${child.generation}` : `done:${jobId}`
  await supervisor.output.endCapture(jobId, { marker, timeoutMs: LOST_MARKER_LIMIT_MS })
  return { result: { kind: 'stopped' }, spent }
}

interface Ended {
  readonly exit: ChildExit
  readonly hints: readonly string[]
}

async function explain({ supervisor, child, crew }: Place, attempt: Attempt, { exit, hints }: Ended): Promise<AttemptResult> {
  const { note, why, isShared } = crew.bury(() => {
    const found = supervisor.boardOf(child)
    return { note: found, why: attempt.explainExit(exit, found) }
  })
  const timeoutMs = exit.supervisorLost ? LOST_MARKER_LIMIT_MS : MARKER_LIMIT_MS
  const stdout = await supervisor.output.endCapture(attempt.job.id, { marker: `exit:${child.generation}`, timeoutMs })
  if (note.phase === 'waiting' && !attempt.isLastTry) return { result: undefined, spent: true }
  const result: RunResult = isShared ? { kind: 'lost', why } : toFailure(attempt.envelope, [why, ...hints].join('; '), stdout)
  return { result, spent: true }
}

/** The job's dependencies replaced versions of modules that are loaded. Only a process that has not imported them can run it. */
async function beginAgain({ supervisor, child }: Place, { job, envelope, preloads, isLastTry }: Attempt): Promise<AttemptResult> {
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
    child.onFrame(job.id, (frame) => {
      if (frame.header.kind === 'output') {
        output.follow(String(frame.header.path))
        moved.resolve('moved')
      }
      if (frame.header.kind === 'done' || frame.header.kind === 'again') resolve(frame)
      if (frame.header.kind === 'hint') hints.push(String(frame.header.text))
      if (frame.header.kind === 'chunk') {
        void options.postChunk(frame.body).then((refused) => child.send({ kind: 'ack', id: job.id, refused }, Buffer.alloc(0)))
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
  const filled = typeof at === 'number' ? Buffer.concat([body.subarray(0, at), toJsonString(stdout), body.subarray(at)]) : body
  return { kind: 'done', body: filled, isStream: header.isStream === true, timings }
}

const EMPTY_STRING = Buffer.from('""')

function toJsonString(text: string): Buffer {
  return text === '' ? EMPTY_STRING : Buffer.from(JSON.stringify(text), 'utf8')
}
