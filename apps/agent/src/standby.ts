// A standby worker (ADR 56): Python is started and waits while the worker has no endpoint yet. The endpoint's environment arrives as one JSON line on
// stdin; only then does the worker have a token, and it serves this endpoint until its end. The next line reports that the container has its limits;
// no job runs before it. Further lines are not read.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createHttpClient } from './http.ts'
import { findPython, findRunner, NO_PYTHON, toRunnerEnv } from './settings.ts'
import { startSupervisor, type Supervisor } from './supervisor.ts'

const WARMING_ROUNDS = 3

type Env = Readonly<Record<string, string | undefined>>

export interface Parked {
  readonly env: Env
  readonly runtimeDir: string
  readonly supervisor: Supervisor
  /** Resolves when the container has its limits. @throws if that is never reported */
  readonly limited: Promise<void>
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
  await warmUpHttp()
  const lines = openLines(input)
  const stop = (): void => lines[Symbol.dispose]()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const line = await lines.next()
  signal.removeEventListener('abort', stop)
  if (line === undefined) {
    lines[Symbol.dispose]()
    await supervisor.end()
    rmSync(runtimeDir, { recursive: true, force: true })
    return undefined
  }
  const { RUNYARD_STANDBY: _, ...own } = env
  const assigned = { ...own, ...(JSON.parse(line) as { readonly env: Readonly<Record<string, string>> }).env }
  supervisor.takeOn(toRunnerEnv(assigned, runtimeDir))
  return { env: assigned, runtimeDir, supervisor, limited: awaitLimits(lines) }
}

type Lines = ReturnType<typeof openLines>

/** Several lines may arrive at once; none is lost. */
function openLines(input: Readable) {
  const lines = createInterface({ input })
  const each = lines[Symbol.asyncIterator]()
  return {
    /** Undefined: the input has ended, or the lines are closed. */
    async next(): Promise<string | undefined> {
      const { done, value } = await each.next()
      return done === true ? undefined : value
    },
    [Symbol.dispose]: () => lines.close(),
  }
}

async function awaitLimits(lines: Lines): Promise<void> {
  using open = lines
  if ((await open.next()) === undefined) {
    throw new Error('the program that gave this worker its endpoint ended before the container had its limits')
  }
}

/** The first exchange of a process takes far longer than any other, since Node loads and compiles its parts: so it is made while nothing waits for it. */
async function warmUpHttp(): Promise<void> {
  // As in http.ts.
  const server = process
    .getBuiltinModule('node:http')
    .createServer((request, response) => request.resume().once('end', () => response.writeHead(204).end()))
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') return
    const call = { url: `http://127.0.0.1:${address.port}/`, timeoutMs: 5000 }
    using http = createHttpClient({})
    for (let round = 0; round < WARMING_ROUNDS; round += 1) {
      await http.exchange({ ...call, method: 'GET' })
      await http.exchange({ ...call, method: 'POST', body: Buffer.from('{}') })
    }
  } catch {
    // A worker without a loopback interface is only slower.
  } finally {
    server.close()
  }
}
