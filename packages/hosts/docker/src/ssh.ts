// Reaches a host through this machine's ssh program, so that the user's configuration, agent, jump hosts and known hosts apply. One tunnel per engine
// carries all calls: forwards are not sessions, and need no Docker CLI on the other side. It is restarted with increasing pauses. Failure direction:
// while it is down, the engine does not answer, so the host is unknown.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RunyardError, type EngineConnection } from '@runyard/schema'

type SshConnection = Extract<EngineConnection, { kind: 'ssh' }>

export interface Tunnel extends AsyncDisposable {
  /** Its connections go to the engine's socket; the first ones wait until the tunnel is up. */
  readonly agent: Agent
}

export interface TunnelOptions {
  /** In sentences. */
  readonly name: string
  /** Arguments before all others; for tests. */
  readonly more?: readonly string[] | undefined
}

const OPTIONS = ['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=15', 'ServerAliveCountMax=3']
const TUNNEL_OPTIONS = ['ExitOnForwardFailure=yes', 'StreamLocalBindUnlink=yes']
const UP_WITHIN_MS = 15_000
const UP_POLL_MS = 25
const FIRST_PAUSE_MS = 500
const LAST_PAUSE_MS = 30_000
const END_WITHIN_MS = 2000

interface State {
  readonly stop: AbortController
  child: ChildProcess | undefined
  /** What ssh printed last. */
  lastWords: string
}

export function openTunnel(connection: SshConnection, { name, more = [] }: TunnelOptions): Tunnel {
  // Only this user may enter, and so use the engine.
  const directory = mkdtempSync(join(tmpdir(), 'runyard-ssh-'))
  const socket = join(directory, 'engine.sock')
  const state: State = { stop: new AbortController(), child: undefined, lastWords: '' }
  const forward = ['-NT', ...TUNNEL_OPTIONS.flatMap((option) => ['-o', option]), '-L', `${socket}:${connection.socket}`]
  const supervised = keepUp(state, { args: [...more, ...forward, ...target(connection)], socket })
  const agent = new Agent({ keepAlive: false })
  agent.createConnection = (_options, callback) => {
    void handOut(socket, { state, name }, callback)
    return undefined
  }
  return {
    agent,
    async [Symbol.asyncDispose]() {
      state.stop.abort()
      state.child?.kill('SIGTERM')
      const timer = setTimeout(() => state.child?.kill('SIGKILL'), END_WITHIN_MS)
      await supervised
      clearTimeout(timer)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function handOut(
  socket: string,
  { state, name }: { readonly state: State; readonly name: string },
  callback: Parameters<Agent['createConnection']>[1],
): Promise<void> {
  const problem = await untilUp(socket, state)
  if (problem === undefined) return callback?.(null, connect(socket))
  const error = new RunyardError('internal', `ssh does not reach ${name}: ${problem}.`, { fault: 'host' })
  // Node's types ask for a stream beside the error.
  callback?.(error, new PassThrough())
}

/** `--`: what follows is the host, even if it began with a dash. */
function target({ host, user, port }: SshConnection): readonly string[] {
  const where = port === undefined ? [] : ['-p', String(port)]
  return [...OPTIONS.flatMap((option) => ['-o', option]), ...where, '--', user === undefined ? host : `${user}@${host}`]
}

async function keepUp(state: State, { args, socket }: { readonly args: readonly string[]; readonly socket: string }): Promise<void> {
  const { signal } = state.stop
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
    const since = Date.now()
    await runOnce(state, args)
    rmSync(socket, { force: true })
    if (Date.now() - since > LAST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** Resolves when ssh has ended, or could not be started. */
function runOnce(state: State, args: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const child = spawn('ssh', [...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  state.child = child
  child.stderr.on('data', (chunk: Buffer) => {
    state.lastWords = chunk.toString().trim().split('\n').at(-1) ?? ''
  })
  child.once('error', (error) => {
    state.lastWords = error.message
    resolve(undefined)
  })
  child.once('close', () => resolve(undefined))
  return promise
}

/** Undefined, or what is wrong. */
async function untilUp(socket: string, state: State): Promise<string | undefined> {
  const until = Date.now() + UP_WITHIN_MS
  while (!state.stop.signal.aborted && Date.now() < until) {
    if (await isThere(socket)) return undefined
    await delay(UP_POLL_MS)
  }
  return state.lastWords === '' ? `it is not up within ${UP_WITHIN_MS / 1000} s` : state.lastWords
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Runs a command on the host; its standard output, also if it fails; undefined: there is no such command. @throws if ssh itself fails. */
export async function runOverSsh(
  connection: SshConnection,
  command: readonly string[],
  more: readonly string[] = [],
): Promise<string | undefined> {
  try {
    const words = [...more, ...target(connection), command.join(' ')]
    return (await promisify(execFile)('ssh', words, { timeout: 20_000, killSignal: 'SIGKILL', maxBuffer: 16 * 2 ** 20 })).stdout
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code === 255) throw error
    if (error.code === 127) return undefined
    return 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : ''
  }
}
