// A standby worker (ADR 56): Python is started and waits while the worker has no endpoint yet. The endpoint's environment arrives as one JSON line on
// stdin; only then does the worker have a token, and it serves this endpoint until its end. Further lines are not read.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { findPython, findRunner, NO_PYTHON, toRunnerEnv } from './settings.ts'
import { startSupervisor, type Supervisor } from './supervisor.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface Parked {
  readonly env: Env
  readonly runtimeDir: string
  readonly supervisor: Supervisor
}

export interface StandbyDeps {
  readonly env: Env
  readonly input: Readable
  readonly writeThrough: (chunk: Buffer) => void
  /** Ends the wait. */
  readonly signal: AbortSignal
}

export const isStandby = (env: Env): boolean => env.RUNYARD_STANDBY === '1'

/** Resolves when the worker has an endpoint; undefined: it was ended before, or the input has ended. @throws Error with one sentence if Python does not start. */
export async function standBy({ env, input, writeThrough, signal }: StandbyDeps): Promise<Parked | undefined> {
  const python = findPython(env.RUNYARD_PYTHON, env.PATH ?? '')
  if (python === undefined) throw new Error(NO_PYTHON)
  const runtimeDir = mkdtempSync(join(tmpdir(), 'runyard-'))
  const directory = join(runtimeDir, '1')
  const supervisor = await startSupervisor({ python, ...findRunner(), directory, env: toRunnerEnv(env, runtimeDir), writeThrough })
  const line = await firstLine(input, signal)
  if (line === undefined) {
    await supervisor.end()
    rmSync(runtimeDir, { recursive: true, force: true })
    return undefined
  }
  const { RUNYARD_STANDBY: _, ...own } = env
  const assigned = { ...own, ...(JSON.parse(line) as { readonly env: Readonly<Record<string, string>> }).env }
  supervisor.takeOn(toRunnerEnv(assigned, runtimeDir))
  return { env: assigned, runtimeDir, supervisor }
}

async function firstLine(input: Readable, signal: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input })
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(undefined))
      if (signal.aborted) resolve(undefined)
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
  } finally {
    lines.close()
  }
}
