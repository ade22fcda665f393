// Puts the parts of one worker together and owns its end: drain on the first signal, kill on the second.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChildSupply } from './child-supply.ts'
import { createGateway } from './gateway.ts'
import { createHeldJob } from './held-job.ts'
import { createHttpClient } from './http.ts'
import type { AgentLog } from './log.ts'
import { findPython, NO_PYTHON } from './python.ts'
import { createRunner } from './runner.ts'
import { toRunnerEnv } from './settings.ts'
import type { Settings } from './settings.ts'
import { runPingLoop, runStopLoop } from './side-loops.ts'
import { runTakeLoop } from './take-loop.ts'

export interface AgentDeps {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: AgentLog
  readonly writeThrough: (chunk: Buffer) => void
}

export interface AgentSignals {
  /** Take no more, finish what is held, end. */
  readonly drain: AbortSignal
  /** End now, whatever is held. */
  readonly kill: AbortSignal
}

/** Resolves when the agent has drained, or was told to end; nothing of user code is left then. */
export async function runAgent(deps: AgentDeps, signals: AgentSignals): Promise<void> {
  const { settings, log } = deps
  const runtimeDir = mkdtempSync(join(toRuntimeBase(settings.scratchDir), 'runyard-'))
  using http = createHttpClient({ Authorization: settings.token, 'User-Agent': `Runyard-Agent/${settings.version}` })
  const gateway = createGateway(http, settings)
  const held = createHeldJob()
  const python = () => {
    const found = findPython(settings.python, deps.env.PATH ?? '')
    if (found === undefined) throw new Error(NO_PYTHON)
    return found
  }
  const env = toRunnerEnv(deps.env, runtimeDir)
  const runner = createRunner(createChildSupply({ settings, python, runtimeDir, env, writeThrough: deps.writeThrough }), settings)
  const side = new AbortController()
  const killed = new Promise<void>((resolve) => signals.kill.addEventListener('abort', () => resolve(), { once: true }))
  try {
    // Python starts while the first poll and ping are on their way.
    const warming = runner.warmUp().then(
      (version) => log.info(`runyard-agent ${settings.version} takes jobs of endpoint ${settings.endpointId} with Python ${version}`),
      (error: unknown) => log.error(error instanceof Error ? error.message : String(error)),
    )
    void runPingLoop(gateway, held, { intervalMs: settings.pingIntervalMs, signal: side.signal })
    void runStopLoop(gateway, held, side.signal)
    await Promise.race([runTakeLoop({ gateway, runner, held, log, envelope: settings.envelope }, signals.drain), killed])
    await Promise.race([warming, killed])
  } finally {
    side.abort()
    await runner.end()
    rmSync(runtimeDir, { recursive: true, force: true })
  }
}

/** The scratch directory, unless the path of a unix socket in it would exceed the 107 bytes that the kernel allows (103 on macOS). */
function toRuntimeBase(scratchDir: string | undefined): string {
  return scratchDir !== undefined && Buffer.byteLength(scratchDir) <= 70 ? scratchDir : tmpdir()
}
