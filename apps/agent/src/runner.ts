// Runs one job at a time in a Python child and answers with the body of job-done, whatever user code does to its process.
// The next child is forked as soon as the last one is spent, so that a job after a crash finds a working one.
import { join } from 'node:path'
import type { JobTimings } from '@runyard/schema'
import { describeDeath } from './death.ts'
import { toFailureBody } from './failure-body.ts'
import type { DoneBody } from './failure-body.ts'
import type { Frame } from './frames.ts'
import type { TakenJob } from './gateway.ts'
import { readCgroupMemory } from './oom.ts'
import type { RunnerChild } from './runner-child.ts'
import type { EnvelopeName, Settings } from './settings.ts'
import { startSupervisor } from './supervisor.ts'
import type { Supervisor } from './supervisor.ts'

/** How long a marker may lag behind the frame or report that announces it. */
const MARKER_LIMIT_MS = 2000

export type RunResult = (DoneBody & { readonly kind: 'done'; readonly timings: JobTimings | undefined }) | { readonly kind: 'stopped' }

export interface RunOptions {
  readonly postChunk: (body: Buffer) => Promise<void>
  /** Abort = the job's result is not wanted any more: its process is killed. */
  readonly signal: AbortSignal
}

export interface Runner {
  /** Starts Python and the first child, if they are not there. Resolves with Python's version. @throws Error with one sentence. */
  warmUp(): Promise<string>
  run(job: TakenJob, options: RunOptions): Promise<RunResult>
  /** Kills the child and everything that user code started. */
  end(): Promise<void>
}

export interface RunnerDeps {
  readonly settings: Settings
  readonly python: () => string
  readonly runtimeDir: string
  readonly env: Readonly<Record<string, string>>
  readonly writeThrough: (chunk: Buffer) => void
}

interface Ready {
  readonly supervisor: Supervisor
  readonly child: RunnerChild
}

export function createRunner(deps: RunnerDeps): Runner {
  let started = 0
  let supervisor: Promise<Supervisor> | undefined
  let ready: Promise<Ready> | undefined
  const ensureSupervisor = async () => {
    if (supervisor !== undefined && !(await supervisor).isAlive()) supervisor = undefined
    started += supervisor === undefined ? 1 : 0
    const { runnerDir, vendorDir } = deps.settings
    const directory = join(deps.runtimeDir, String(started))
    supervisor ??= startSupervisor({
      python: deps.python(),
      runnerDir,
      vendorDir,
      directory,
      env: deps.env,
      writeThrough: deps.writeThrough,
    })
    return supervisor
  }
  const prepare = async (): Promise<Ready> => {
    const living = await ensureSupervisor()
    return { supervisor: living, child: await living.fork() }
  }
  const ensureReady = async () => {
    ready ??= prepare()
    try {
      return await ready
    } catch (error) {
      // The next job tries again from the start.
      ready = undefined
      supervisor = undefined
      throw error
    }
  }
  const replace = () => {
    ready = prepare()
    ready.catch(() => undefined)
  }
  return {
    warmUp: async () => (await ensureReady()).supervisor.pythonVersion,
    async run(job, options) {
      const envelope = deps.settings.envelope ?? detectEnvelope(job)
      let current: Ready
      try {
        current = await ensureReady()
      } catch (error) {
        return { kind: 'done', timings: undefined, ...toFailureBody(envelope, error instanceof Error ? error.message : String(error), '') }
      }
      const result = await runInChild(current, { job, envelope, options, memoryBytes: deps.settings.memoryBytes })
      if (result.spent) replace()
      return result.result
    },
    async end() {
      await (await supervisor?.catch(() => undefined))?.end()
    },
  }
}

function detectEnvelope(job: TakenJob): EnvelopeName {
  return job.format === 'json' ? 'json' : 'flash'
}

interface Attempt {
  readonly job: TakenJob
  readonly envelope: EnvelopeName
  readonly options: RunOptions
  readonly memoryBytes: number | undefined
}

interface AttemptResult {
  readonly result: RunResult
  /** The child is gone: the next job needs a fresh one. */
  readonly spent: boolean
}

async function runInChild({ supervisor, child }: Ready, attempt: Attempt): Promise<AttemptResult> {
  const { job, options } = attempt
  const oomKillsBefore = readCgroupMemory().oomKills
  supervisor.output.beginCapture()
  const done = new Promise<Frame>((resolve) => {
    child.onFrame((frame) => {
      if (frame.header.kind === 'done' && frame.header.id === job.id) resolve(frame)
      if (frame.header.kind === 'chunk') void options.postChunk(frame.body).then(() => child.send({ kind: 'ack' }, Buffer.alloc(0)))
    })
  })
  const stopped = new Promise<'stopped'>((resolve) => {
    if (options.signal.aborted) resolve('stopped')
    options.signal.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
  child.send({ kind: 'job', id: job.id, envelope: attempt.envelope }, job.raw)
  const first = await Promise.race([done, child.exited, stopped])
  if (first === 'stopped') {
    await supervisor.kill(child)
    return { result: { kind: 'stopped' }, spent: true }
  }
  if ('exitCode' in first) {
    const stdout = await supervisor.output.endCapture(`exit:${child.generation}`, first.supervisorLost ? 20 : MARKER_LIMIT_MS)
    const memory = readCgroupMemory()
    const oomKilled = memory.oomKills !== undefined && oomKillsBefore !== undefined && memory.oomKills > oomKillsBefore
    const error = describeDeath(first, { oomKilled, limitBytes: attempt.memoryBytes ?? memory.limitBytes })
    return { result: { kind: 'done', timings: undefined, ...toFailureBody(attempt.envelope, error, stdout) }, spent: true }
  }
  const stdout = await supervisor.output.endCapture(`done:${job.id}`, MARKER_LIMIT_MS)
  if (first.header.fresh === true) await supervisor.kill(child)
  return { result: toDone(first, stdout), spent: first.header.fresh === true }
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
