// A real Redis for tests, as durable as `runyard up` runs it: a separate process on a free loopback port and a unix socket, with an append-only
// file, so that a restart keeps accepted data. It ends with the scope that started it, and with the test process at the latest, even if that is
// killed. A separate entry point, because the harness and the benchmarks use it without vitest.
import { spawn, type ChildProcess } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { dieWithUs } from './die-with-us.ts'
import { findFreePort } from './free-port.ts'

export interface StartRedisOptions {
  /** Path of a redis-server or valkey-server; default: the first of them on the PATH. */
  readonly binary?: string
  readonly appendonly?: boolean
  /** When it syncs the append-only file to disk; default: every second. */
  readonly appendfsync?: 'always' | 'everysec'
  /** Of its files, which then stay after `stop`; default: a temporary one. */
  readonly directory?: string
  /** Further arguments, e.g. `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[]
}

export interface TestRedis extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** A path, which ioredis accepts instead of a URL. */
  readonly socket: string
  /** The pid of the running process; changes with `restart`. */
  readonly pid: number
  /** Stops it and removes its temporary directory. */
  stop(): Promise<void>
  /** Stops it (if it still runs) and starts it again on the same port with the same files. */
  restart(): Promise<void>
  /** Sends SIGKILL: at once, or when all acknowledged writes are in the files, which stay for `restart`. A busy disk may delay them by 2 s. */
  kill(when?: 'written' | 'at once'): Promise<void>
  /** CONFIG SET, e.g. `('maxmemory', '1')` for a Redis that is out of memory. */
  configure(name: string, value: string): Promise<void>
  /** FLUSHALL. */
  flush(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const SOCKET = 'redis.sock'

export async function startRedis(options: StartRedisOptions = {}): Promise<TestRedis> {
  const binary = options.binary ?? (await findRedisServer())
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'runyard-redis-')))
  await mkdir(directory, { recursive: true })
  const port = await findFreePort()
  const launch = () => spawnRedis(binary, { port, directory, options })
  let child = await launch()

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const { promise: exited, resolve } = Promise.withResolvers<undefined>()
    child.once('exit', () => resolve(undefined))
    child.kill(signal)
    await exited
  }
  const stop = async () => {
    await end('SIGTERM')
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    socket: join(directory, SOCKET),
    get pid() {
      return child.pid ?? 0
    },
    stop,
    async kill(when = 'written') {
      if (when === 'written') await written(port)
      await end('SIGKILL')
    },
    async configure(name, value) {
      const answer = await ask(port, `CONFIG SET ${name} ${value}`)
      if (answer !== '+OK\r\n') throw new Error(`Redis does not take ${name} = ${value}: ${answer}`)
    },
    async flush() {
      const answer = await ask(port, 'FLUSHALL')
      if (answer !== '+OK\r\n') throw new Error(`Redis is not emptied: ${answer}`)
    },
    async restart() {
      await end('SIGTERM')
      child = await launch()
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** @throws an Error that names what to install when neither server is on the PATH. */
export async function findRedisServer(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      const file = join(folder, name)
      if (await isExecutable(file)) return file
    }
  }
  throw new Error('These tests need redis-server or valkey-server on the PATH.')
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function spawnRedis(
  binary: string,
  { port, directory, options }: { port: number; directory: string; options: StartRedisOptions },
): Promise<ChildProcess> {
  const listen = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--unixsocket', join(directory, SOCKET)]
  const { appendonly = true, appendfsync = 'everysec' } = options
  const durability = ['--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', appendfsync, '--save', '']
  const args = [...listen, ...durability, '--maxmemory-policy', 'noeviction', ...(options.args ?? [])]
  const child = spawn(...dieWithUs(binary, args), { stdio: 'ignore' })
  const killWithUs = () => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answersPing(port))) {
    if (child.exitCode !== null) throw new Error(`${binary} ended with exit code ${child.exitCode} on port ${port}.`)
    if (Date.now() > deadline) throw new Error(`${binary} did not answer on port ${port} within ${START_TIMEOUT_MS} ms.`)
    await delay(10)
  }
  return child
}

/** A Redis that is still loading its files replies, but not with PONG. */
async function answersPing(port: number): Promise<boolean> {
  return (await ask(port, 'PING')) === '+PONG\r\n'
}

async function written(port: number): Promise<void> {
  while (/^aof_buffer_length:[1-9]/m.test(await ask(port, 'INFO persistence'))) await delay(10)
}

/** The first chunk of the reply to an inline command; empty if there is none. */
async function ask(port: number, command: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
  socket.setTimeout(10_000, () => resolve(''))
  socket.once('error', () => resolve(''))
  socket.once('data', (data) => resolve(data.toString()))
  socket.once('close', () => resolve(''))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
