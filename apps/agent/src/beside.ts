// Python that was started beside this agent (ADR 56): it loaded its modules while the agent did, and is adopted like that of a standby worker.
// Failure direction: where it has ended, the agent starts Python itself, as without it.
import { join } from 'node:path'
import { toRunnerEnv } from './settings.ts'
import type { Parked } from './standby.ts'
import { adoptSupervisor, type StartedBeside } from './supervisor.ts'

/** Set by runner/runyard_runner/launch.py. */
const VARIABLE = 'RUNYARD_SUPERVISOR'

/** Undefined: there is none. */
export async function adoptBeside(env: NodeJS.ProcessEnv, writeThrough: (chunk: Buffer) => void): Promise<Parked | undefined> {
  const text = env[VARIABLE]
  if (text === undefined) return undefined
  delete env[VARIABLE]
  try {
    const started = JSON.parse(text) as StartedBeside
    const { runtimeDir } = started
    const supervisor = await adoptSupervisor(started, { directory: join(runtimeDir, '1'), writeThrough })
    supervisor.takeOn(toRunnerEnv(env, runtimeDir))
    return { env, runtimeDir, supervisor, limited: Promise.resolve() }
  } catch {
    return undefined
  }
}
