// Follows logs in a thread of its own, so that the output of a worker never delays scaling. Losing the thread costs only log lines; it is restarted
// and continues with the same workers.
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { Config, HostConfig, HostDriver } from '@runyard/schema'
import type { LogFollower } from './log-follower.ts'

/** What the thread needs to open its own connections. */
export interface LogThreadSetup {
  readonly config: Config
  readonly instanceId: string
}

export type LogOrder =
  | { readonly kind: 'follow'; readonly host: HostConfig; readonly workerId: string }
  | { readonly kind: 'finish'; readonly workerId: string }
  | { readonly kind: 'stop' }

export interface LogReport {
  readonly kind: 'finished'
  readonly workerId: string
}

export interface LogThreadOptions {
  readonly setup: LogThreadSetup
  /** The configuration with which the thread opens the driver's host. */
  readonly hostOf: (driver: HostDriver) => HostConfig | undefined
  readonly log: Logger
  /** The thread's program; default: beside this one, source or bundle. */
  readonly entry?: string
  readonly restartAfterMs?: number
}

/** The thread then ends with an error, which affects nothing else. */
const MAX_HEAP_MB = 256
const RESTART_AFTER_MS = 1000
/** A removal waits no longer than this for the last lines. */
const FINISH_WITHIN_MS = 2000
const STOP_WITHIN_MS = 2000

const isSource = import.meta.url.endsWith('.ts')
const ENTRY = fileURLToPath(new URL(isSource ? './log-thread-main.ts' : './log-thread-main.mjs', import.meta.url))

interface State {
  thread: Worker | undefined
  restart: NodeJS.Timeout | undefined
  isStopping: boolean
  readonly followed: Map<string, HostConfig>
  readonly finishing: Map<string, () => void>
}

export function openLogThread(options: LogThreadOptions): LogFollower {
  const state: State = { thread: undefined, restart: undefined, isStopping: false, followed: new Map(), finishing: new Map() }
  startThread(options, state)

  return {
    follow(driver, workerId) {
      const host = options.hostOf(driver)
      if (host === undefined || state.followed.has(workerId)) return
      const own = driver.sharedSocket === undefined ? host : viaSocket(host, driver.sharedSocket)
      state.followed.set(workerId, own)
      post(state, { kind: 'follow', host: own, workerId })
    },
    async finish(workerId) {
      if (!state.followed.delete(workerId) || state.thread === undefined) return
      const { promise, resolve } = Promise.withResolvers<void>()
      state.finishing.set(workerId, resolve)
      const timer = setTimeout(resolve, FINISH_WITHIN_MS)
      post(state, { kind: 'finish', workerId })
      await promise
      clearTimeout(timer)
      state.finishing.delete(workerId)
    },
    async [Symbol.asyncDispose]() {
      state.isStopping = true
      clearTimeout(state.restart)
      const { thread } = state
      if (thread === undefined) return
      const ended = new Promise((resolve) => thread.once('exit', resolve))
      const timer = setTimeout(() => void thread.terminate(), STOP_WITHIN_MS)
      post(state, { kind: 'stop' })
      await ended
      clearTimeout(timer)
    },
  }
}

/** Over the connection of the scaler's driver, so that a host has one. */
function viaSocket(host: HostConfig, socket: string): HostConfig {
  return { kind: 'docker', id: host.id, socket }
}

function post({ thread }: State, order: LogOrder): void {
  // The empty list of transfers sets it apart from the browser’s call, which needs an origin.
  thread?.postMessage(order, [])
}

function startThread(options: LogThreadOptions, state: State): void {
  const { setup, log, entry = ENTRY, restartAfterMs = RESTART_AFTER_MS } = options
  const thread = new Worker(entry, { workerData: setup, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } })
  state.thread = thread
  thread.on('message', ({ workerId }: LogReport) => state.finishing.get(workerId)?.())
  thread.on('error', (error) => log.warn({ problem: sentenceOf(error) }, 'the thread that follows logs failed'))
  thread.once('exit', () => {
    state.thread = undefined
    for (const resolve of state.finishing.values()) resolve()
    if (state.isStopping) return
    log.warn('the thread that follows logs has ended and is started again; log lines may be missing')
    state.restart = setTimeout(() => startThread(options, state), restartAfterMs)
  })
  for (const [workerId, host] of state.followed) post(state, { kind: 'follow', host, workerId })
}
