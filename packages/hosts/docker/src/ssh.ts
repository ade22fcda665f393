// Reaches a host through this machine's ssh program, so that the user's configuration, agent, jump hosts and known hosts apply. One tunnel per engine
// carries all calls: forwards are not sessions, and need no Docker CLI on the other side. It is also the master of a control socket, over which commands
// run there and the worker plane is forwarded. It is restarted with increasing pauses, and ends with this process, however that ends. Failure direction:
// while it is down, the engine does not answer, so the host is unknown.
import { execFile, spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FollowCommand } from '@runyard/host-gpus'
import { RunyardError, type EngineConnection } from '@runyard/schema'
import { sshProblem } from './ssh-problems.ts'

type SshConnection = Extract<EngineConnection, { kind: 'ssh' }>

export interface Tunnel extends AsyncDisposable {
  /** Its connections go to the engine's socket; the first ones wait until the tunnel is up. */
  readonly agent: Agent
  /** The engine's socket on this machine, while the tunnel is up. */
  readonly socket: string
  /** Runs a command on the host, over the same connection while it is up. @see runOverSsh */
  run(file: string, args: readonly string[]): Promise<string | undefined>
  /** Follows a command on the host in the same way. */
  readonly follow: FollowCommand
  /** From now on the host's address leads to ours, also after the tunnel was started again. @throws RunyardError with one sentence if it cannot. */
  forward(way: Forward): Promise<void>
}

/** `from`: an address and a port of the host; `to`: of this machine. */
export interface Forward {
  readonly from: string
  readonly to: string
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
const FORWARD_AGAIN_MS = 5000

/**
 * Runs its arguments until they end or its standard input does: the system closes that when this process ends, even by SIGKILL. The first one is a
 * directory that goes with this process, or empty.
 */
const WHILE_WE_LIVE = `exec 3<&0
directory=$1; shift
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; rm -rf "$directory"; kill "$child"; } >/dev/null 2>&1 & watch=$!
exec 3<&-
wait "$child"; code=$?
kill "$watch" 2>/dev/null
exit "$code"`

interface State {
  readonly stop: AbortController
  child: ChildProcess | undefined
  /** What ssh printed last. */
  lastWords: string
  /** Whether it was ever up, so that what keeps it down may pass. */
  wasUp: boolean
  hasEnded: boolean
  forward: Forward | undefined
}

export function openTunnel(connection: SshConnection, { name, more = [] }: TunnelOptions): Tunnel {
  // Only this user may enter, and so use the engine.
  const directory = mkdtempSync(join(tmpdir(), 'runyard-ssh-'))
  const socket = join(directory, 'engine.sock')
  const control = join(directory, 'control')
  const state: State = { stop: new AbortController(), child: undefined, lastWords: '', wasUp: false, hasEnded: false, forward: undefined }
  const local = ['-MNT', '-S', control, ...TUNNEL_OPTIONS.flatMap((option) => ['-o', option]), '-L', `${socket}:${connection.socket}`]
  const overControl = [...more, '-S', control, '-o', 'ControlMaster=no']
  const addForward = (way: Forward) => forwardOver(connection, { name, way, more: overControl })
  const onUp = async (): Promise<void> => {
    while (state.forward !== undefined && !state.stop.signal.aborted) {
      // The host may still hold the address for the connection that was lost.
      const isDone = await addForward(state.forward).then(Boolean, () => false)
      if (isDone || !existsSync(socket)) return
      await delay(FORWARD_AGAIN_MS, undefined, { signal: state.stop.signal, ref: false }).catch(() => undefined)
    }
  }
  const supervised = keepUp(state, { directory, args: [...more, ...local, ...target(connection)], socket, control, onUp })
  const agent = new Agent({ keepAlive: false })
  agent.createConnection = (_options, callback) => {
    void handOut(socket, { state, name, connection }, callback)
    return undefined
  }
  return {
    agent,
    socket,
    run: (file, args) => runOverSsh(connection, [file, ...args], overControl),
    follow: (file, args, how) => followOverSsh([...overControl, ...target(connection), [file, ...args].join(' ')], how),
    async forward(way) {
      const problem = await untilUp(socket, state)
      if (problem !== undefined) throw unreached(name, problem, connection)
      if (state.forward?.from === way.from && state.forward.to === way.to) return
      await addForward(way)
      state.forward = way
    },
    async [Symbol.asyncDispose]() {
      state.stop.abort()
      state.child?.stdin?.end()
      const timer = setTimeout(() => killGroup(state.child), END_WITHIN_MS)
      await supervised
      clearTimeout(timer)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function handOut(
  socket: string,
  { state, name, connection }: { readonly state: State; readonly name: string; readonly connection: SshConnection },
  callback: Parameters<Agent['createConnection']>[1],
): Promise<void> {
  const problem = await untilUp(socket, state)
  if (problem === undefined) return callback?.(null, connect(socket))
  // Node's types ask for a stream beside the error.
  callback?.(unreached(name, problem, connection), new PassThrough())
}

function unreached(name: string, problem: string, connection: SshConnection): RunyardError {
  return new RunyardError('internal', `ssh does not reach ${name}: ${sshProblem(problem, connection)}.`, { fault: 'host' })
}

interface Forwarding {
  readonly name: string
  readonly way: Forward
  readonly more: readonly string[]
}

async function forwardOver(connection: SshConnection, { name, way: { from, to }, more }: Forwarding): Promise<true> {
  try {
    await promisify(execFile)('ssh', [...more, '-O', 'forward', '-R', `${from}:${to}`, ...target(connection)], { timeout: UP_WITHIN_MS })
    return true
  } catch (error) {
    const sentence = `ssh does not forward ${from} on ${name} to this machine: set "AllowTcpForwarding yes" and "GatewayPorts clientspecified" in its /etc/ssh/sshd_config, and see that nothing else listens there.`
    throw new RunyardError('bad_request', sentence, { cause: error, fault: 'host' })
  }
}

/** `--`: what follows is the host, even if it began with a dash. */
function target({ host, user, port }: SshConnection): readonly string[] {
  const where = port === undefined ? [] : ['-p', String(port)]
  return [...OPTIONS.flatMap((option) => ['-o', option]), ...where, '--', user === undefined ? host : `${user}@${host}`]
}

interface Keeping {
  readonly directory: string
  readonly args: readonly string[]
  readonly socket: string
  readonly control: string
  readonly onUp: () => Promise<void>
}

async function keepUp(state: State, { directory, args, socket, control, onUp }: Keeping): Promise<void> {
  const { signal } = state.stop
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
    const since = Date.now()
    const running = runOnce(state, args, directory)
    void untilUp(socket, state).then((problem) => (problem === undefined ? onUp() : undefined))
    await running
    state.hasEnded = true
    // Left behind by one that was killed, the control socket would keep the next one from being a master.
    for (const left of [socket, control]) rmSync(left, { force: true })
    if (Date.now() - since > LAST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** Resolves when ssh has ended, or could not be started. */
function runOnce(state: State, args: readonly string[], directory: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const child = spawnSsh(args, directory)
  child.stdout.resume()
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

/** It ends when its standard input does, and `directory` with it. */
function spawnSsh(args: readonly string[], directory = ''): ChildProcessWithoutNullStreams {
  // A group of its own: neither a Ctrl-C at the terminal nor the end of the shell alone leaves half of it.
  const child = spawn('sh', ['-c', WHILE_WE_LIVE, 'sh', directory, 'ssh', ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  child.stdin.on('error', () => undefined)
  return child
}

function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

/** Undefined, or what is wrong. */
async function untilUp(socket: string, state: State): Promise<string | undefined> {
  const until = Date.now() + UP_WITHIN_MS
  while (!state.stop.signal.aborted && Date.now() < until) {
    if (existsSync(socket)) {
      state.wasUp = true
      return undefined
    }
    // What it said of a wrong name or key will not change while a caller waits.
    if (state.hasEnded && !state.wasUp) break
    await delay(UP_POLL_MS)
  }
  return state.lastWords === '' ? `it is not up within ${UP_WITHIN_MS / 1000} s` : state.lastWords
}

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

/** @see FollowCommand; `args`: all of ssh. */
const followOverSsh = (args: readonly string[], { onOutput, signal }: Parameters<FollowCommand>[2]): Promise<number | undefined> => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const child = spawnSsh(args)
  let lastWords = ''
  // The master has the output's other end, too, and closes it only when the host has ended the command.
  const end = (): void => {
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.end()
  }
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  child.stdout.setEncoding('utf8').on('data', onOutput)
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = chunk.toString().trim().split('\n').at(-1) ?? ''
  })
  child.once('error', reject)
  child.once('close', (code) => {
    signal.removeEventListener('abort', end)
    if (code === 255 && !signal.aborted) return reject(new RunyardError('internal', `ssh ended: ${lastWords}.`, { fault: 'host' }))
    resolve(code === 127 ? undefined : (code ?? 255))
  })
  return promise
}
