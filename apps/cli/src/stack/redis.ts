// Our own Redis: a child process on a unix socket in the data directory, so it has no port and needs no password. Uses an append-only file and
// `noeviction` (ADR 11).
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessage, RunyardError } from '@runyard/schema'
import { socketPath } from './data-dir.ts'
import type { RedisBinary } from './redis-binary.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface OwnRedis extends AsyncDisposable {
  /** A socket path, which ioredis takes in place of a URL. */
  readonly url: string
  readonly child: Supervised
}

const MEMORY_SHARE = 0.4
const LEAST_MEMORY_BYTES = 256 * 1024 * 1024

/** What our own Redis may use where no setting says so: it is the largest process, and without a ceiling the kernel would choose what ends. */
export function defaultMaxMemory(machineBytes: number): number {
  return Math.max(LEAST_MEMORY_BYTES, Math.floor(machineBytes * MEMORY_SHARE))
}

const LOADING_LIMIT_MS = 120_000
const STOP_GRACE_MS = 20_000
const PING_EVERY_MS = 1000

export async function openRedis(
  options: {
    binary: RedisBinary
    dataDir: string
    logDir: string
    appendfsync: string
    maxMemoryBytes: number | undefined
    kill?: AbortSignal | undefined
  },
  onNews: (line: string) => void,
): Promise<OwnRedis> {
  const dir = join(options.dataDir, 'redis')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const socket = socketPath(dir, 'redis.sock')
  await endLeftover(socket)
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir,
    appendonly: 'yes',
    appendfsync: options.appendfsync,
    maxmemory: String(options.maxMemoryBytes ?? defaultMaxMemory(totalmem())),
    'maxmemory-policy': 'noeviction',
    save: '',
    logfile: '',
    daemonize: 'no',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = await supervise(
    {
      name: 'redis',
      command: options.binary.path,
      args,
      env: { ...process.env, LC_ALL: 'C' },
      logFile: join(options.logDir, 'redis.log'),
      graceMs: STOP_GRACE_MS,
      kill: options.kill,
    },
    onNews,
  )
  try {
    await Promise.race([untilServing(socket), child.failed])
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw new RunyardError('store_unavailable', `Redis did not start: ${errorMessage(error)}.`, { cause: error })
  }
  child.markUp()
  return watched({ url: socket, child }, onNews)
}

function watched({ url, child }: Pick<OwnRedis, 'url' | 'child'>, onNews: (line: string) => void): OwnRedis {
  const stop = new AbortController()
  void tellSilence(url, onNews, stop.signal)
  return {
    url,
    child,
    [Symbol.asyncDispose]() {
      stop.abort()
      return child[Symbol.asyncDispose]()
    },
  }
}

/** Once that it hangs, and once that it answers again. One that died is its supervisor's to report. */
async function tellSilence(socket: string, onNews: (line: string) => void, signal: AbortSignal): Promise<void> {
  for (let isSilent = false; ;) {
    await sleep(PING_EVERY_MS, undefined, { signal }).catch(() => {})
    const reply = signal.aborted ? undefined : await ask(socket, 'PING')
    if (signal.aborted) return
    if (reply === undefined || isSilent === (reply === '')) continue
    isSilent = reply === ''
    onNews(isSilent ? 'redis does not answer; until it does, nothing starts and no job is taken' : 'redis answers again')
  }
}

/** The socket of the Redis that runs in the data directory; undefined: none does. */
export async function findOwnRedis(dataDir: string): Promise<string | undefined> {
  const socket = socketPath(join(dataDir, 'redis'), 'redis.sock')
  return (await ask(socket, 'PING'))?.startsWith('+PONG') === true ? socket : undefined
}

/** A Redis that outlived a killed `up` still writes to our files; it is asked to end before a new one starts on them. */
async function endLeftover(socket: string): Promise<void> {
  const deadline = performance.now() + STOP_GRACE_MS
  while ((await ask(socket, 'SHUTDOWN')) !== undefined || (await ask(socket, 'PING')) !== undefined) {
    if (performance.now() > deadline) throw new RunyardError('conflict', `Another Redis serves ${socket} and does not end; stop it first.`)
    await sleep(100)
  }
}

async function untilServing(socket: string): Promise<void> {
  const deadline = performance.now() + LOADING_LIMIT_MS
  while (!(await ask(socket, 'PING'))?.startsWith('+PONG')) {
    if (performance.now() > deadline) throw new Error(`it does not answer on ${socket}`)
    await sleep(20)
  }
}

/** Sends one inline command. Returns the first bytes of the reply, '' if the connection closed without one, undefined if it is refused. */
export function ask(socket: string, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const peer = connect(socket)
    peer.setTimeout(2000, () => {
      peer.destroy()
      resolve('')
    })
    peer.once('connect', () => peer.write(`${command}\r\n`))
    peer.once('data', (data) => {
      peer.destroy()
      resolve(data.toString())
    })
    peer.once('end', () => {
      resolve('')
    })
    peer.once('error', () => {
      resolve(undefined)
    })
  })
}

/** How far a running Redis of ours is from its ceiling; undefined where none serves the socket. */
export async function redisMemory(socket: string): Promise<{ readonly usedBytes: number; readonly ceilingBytes: number } | undefined> {
  const info = (await ask(socket, 'INFO memory')) ?? ''
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
  const [usedBytes, ceilingBytes] = [field('used_memory'), field('maxmemory')]
  return Number.isNaN(usedBytes) || Number.isNaN(ceilingBytes) ? undefined : { usedBytes, ceilingBytes }
}
