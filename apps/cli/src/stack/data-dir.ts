// The data directory: its holder, its key, and the file that describes the running stack. A process holds the directory by listening on a socket
// in it, so a crash releases it. There is one stack per directory; a second one is rejected with one sentence.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPrivateDir } from '@runyard/kit'
import { systemCode, RunyardError } from '@runyard/schema'

/** What `env`, `status` and `usage` need to know about the running stack. */
export interface RunNote {
  readonly pid: number
  readonly url: string
  readonly startedAt: number
  /** Where it listens for workers. */
  readonly plane?: { readonly host: string; readonly port: number }
  /** The file with its settings; absolute. */
  readonly configFile?: string
}

export type DataDir = Awaited<ReturnType<typeof openDataDir>>

/** Interval for restoring the description of the running stack if its file was removed. */
const REWRITE_AFTER_MS = 1000

// sockaddr_un has 108 bytes on Linux, 104 on macOS.
const LONGEST_SOCKET_PATH = 100

/**
 * The path of a unix socket that belongs to the directory, short enough for the kernel. If it must be outside, it is where no other user can create
 * one: a process that impersonated Redis there would receive every job. @throws RunyardError('forbidden') if another user was first.
 */
export function socketPath(directory: string, name: string): string {
  const inside = join(directory, name)
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside
  return join(privateDirectory(createHash('sha256').update(directory).digest('hex').slice(0, 16)), name)
}

function privateDirectory(name: string): string {
  const path = join(tmpdir(), `runyard-${name}`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return path
  throw new RunyardError(
    'forbidden',
    `${path} is not this user’s alone, so no socket can be put there: remove it, or name a shorter data directory with --data DIR.`,
  )
}

/** Creates the directory if needed and holds it. @throws RunyardError('conflict') if another stack holds it. */
export async function openDataDir(path: string) {
  openPrivateDir(path, { what: 'data directory', mend: 'name another with --data DIR' })
  const release = await hold(path)
  try {
    const key = await readOrCreateKey(path)
    const file = join(path, 'run.json')
    let guard: NodeJS.Timeout | undefined
    return {
      path,
      key,
      async writeNote(note: RunNote): Promise<void> {
        await writeRunNote(file, note)
        clearInterval(guard)
        guard = setInterval(() => {
          if (!existsSync(file)) void writeRunNote(file, note).catch(() => undefined)
        }, REWRITE_AFTER_MS).unref()
      },
      async [Symbol.asyncDispose]() {
        clearInterval(guard)
        await rm(file, { force: true })
        await release()
      },
    }
  } catch (error) {
    await release()
    throw error
  }
}

async function writeRunNote(file: string, note: RunNote): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(note, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** The running stack's description and key, or undefined if none runs on this directory. */
export async function readRunning(path: string): Promise<(RunNote & { key: string }) | undefined> {
  if (!(await answers(socketPath(path, 'lock.sock')))) return undefined
  const note = await readFile(join(path, 'run.json'), 'utf8').catch(() => undefined)
  const key = await readKey(path).catch(() => undefined)
  if (note === undefined || key === undefined) return undefined
  return { ...(JSON.parse(note) as RunNote), key }
}

async function hold(path: string): Promise<() => Promise<void>> {
  const socket = socketPath(path, 'lock.sock')
  if (await answers(socket)) throw inUse(path)
  await rm(socket, { force: true }).catch((error: NodeJS.ErrnoException) => {
    throw notWritable(path, error)
  })
  const server = createServer((peer) => peer.end())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(path) : notWritable(path, error))
    })
    server.listen(socket, resolve)
  })
  server.unref()
  return async () => {
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
  }
}

function inUse(path: string): RunyardError {
  return new RunyardError(
    'conflict',
    `The data directory ${path} is in use by a running Runyard; stop that one (Ctrl-C where it runs) or name another with --data DIR.`,
  )
}

function notWritable(path: string, error: NodeJS.ErrnoException): RunyardError {
  return new RunyardError('bad_request', `The data directory ${path} cannot be used (${error.code}); name another with --data DIR.`)
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket)
    const settle = (there: boolean): void => {
      probe.destroy()
      resolve(there)
    }
    probe.once('connect', () => {
      settle(true)
    })
    probe.once('error', () => {
      settle(false)
    })
  })
}

export function keyFile(dataDir: string): string {
  return join(dataDir, 'key')
}

/** Undefined: not created yet, or deleted. */
export async function readKey(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(keyFile(dataDir), 'utf8')).trim()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return undefined
  }
}

export async function writeKey(dataDir: string, key: string): Promise<void> {
  const file = keyFile(dataDir)
  await writeFile(`${file}.new`, `${key}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** The API key that every client of this installation may use; created if there is none. */
async function readOrCreateKey(path: string): Promise<string> {
  const found = await readKey(path)
  if (found === '') throw new RunyardError('bad_request', `The key file ${keyFile(path)} is empty; delete it and a new key is made.`)
  if (found !== undefined) {
    await chmod(keyFile(path), 0o600)
    return found
  }
  const key = `rpa_${randomBytes(24).toString('base64url').replaceAll(/[-_]/g, '0')}`
  await writeKey(path, key)
  return key
}
