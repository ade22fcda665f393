// Keeps one connected runner child ready: starts Python when needed, and forks the next child as soon as the previous one has run its job.
// A failed start is not remembered: the next job tries again from the beginning.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunnerChild } from './runner-child.ts'
import type { Settings } from './settings.ts'
import { startSupervisor, type Supervisor } from './supervisor.ts'

export interface ReadyChild {
  readonly supervisor: Supervisor
  readonly child: RunnerChild
}

export type ChildPool = ReturnType<typeof createChildPool>

export interface ChildPoolDeps {
  readonly settings: Pick<Settings, 'runnerDir' | 'vendorDir'>
  /** @throws Error with one sentence when there is none. */
  readonly python: () => string
  readonly runtimeDir: string
  readonly env: Readonly<Record<string, string>>
  readonly writeThrough: (chunk: Buffer) => void
  /** Of a worker that stood by: started in the directory `1`; no job runs before the container is limited. */
  readonly parked?: { readonly supervisor: Supervisor; readonly limited: Promise<void> } | undefined
}

export function createChildPool(deps: ChildPoolDeps) {
  let supervisor = deps.parked?.supervisor
  let starts = supervisor === undefined ? 0 : 1
  let ended = false
  let ready: Promise<ReadyChild> | undefined
  let current: RunnerChild | undefined
  const prepare = async (): Promise<ReadyChild> => {
    if (ended) throw new Error('the agent is ending')
    if (supervisor === undefined || !supervisor.isAlive()) {
      // A supervisor that was killed could not clean up behind its child.
      if (supervisor !== undefined) killOrphans(deps.runtimeDir)
      starts += 1
      const { runnerDir, vendorDir } = deps.settings
      const directory = join(deps.runtimeDir, String(starts))
      supervisor = await startSupervisor({ ...deps, python: deps.python(), runnerDir, vendorDir, directory })
    }
    current = await supervisor.fork()
    return { supervisor, child: current }
  }
  const replace = () => {
    current = undefined
    ready = prepare()
    ready.catch(() => undefined)
  }
  return {
    /** @throws Error with one sentence when Python cannot be started. */
    async get(): Promise<ReadyChild> {
      ready ??= prepare()
      await deps.parked?.limited
      try {
        const found = await ready
        if (!found.child.hasExited()) return found
        // It died between two jobs, e.g. because of a thread that an earlier job left.
        if (found.child === current) replace()
        return await ready
      } catch (error) {
        ready = undefined
        throw error
      }
    },
    /** Discards this child, unless that has happened, and prepares the next one in the background. */
    replace(spent: RunnerChild) {
      if (spent === current) replace()
    },
    async end(): Promise<void> {
      ended = true
      // A child that still loads an app ends with it.
      await supervisor?.end()
      await ready?.catch(() => undefined)
      await supervisor?.end()
      killOrphans(deps.runtimeDir)
    },
  }
}

/**
 * Kills processes that user code started, if the supervisor that would have killed them was killed itself. They are found by the runtime directory
 * in their environment, which they inherited. Without /proc nothing is killed.
 */
function killOrphans(runtimeDir: string): void {
  const mark = Buffer.from(`RUNYARD_RUNTIME_DIR=${runtimeDir}\0`)
  for (const pid of listPids()) {
    try {
      if (readFileSync(`/proc/${pid}/environ`).includes(mark)) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended, or belongs to another user.
    }
  }
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  } catch {
    return []
  }
}
