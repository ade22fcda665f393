// A real Redis with its own files, as durable as `runyard up` runs it (AOF, noeviction). The stack's parts use a unix socket, as they do there;
// tests and clients that only speak TCP use a port.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { Redis } from 'ioredis'
import { findOnPath, startChild, type Child } from './child.ts'
import { waitFor } from './wait.ts'

export interface RedisServer {
  /** A path, which ioredis accepts instead of a URL. */
  readonly socket: string
  readonly url: string
  readonly port: number
  readonly child: () => Child
  /** SIGKILL or an orderly shutdown; the files stay. */
  readonly stop: (how?: 'orderly' | 'kill') => Promise<void>
  /** Resolves once all writes accepted before are in its file, where they survive a kill. */
  readonly written: () => Promise<void>
  /** Starts it again on the same port with the same files. */
  readonly start: () => Promise<void>
}

export async function startRedis(dir: string, appendfsync: 'always' | 'everysec' = 'everysec'): Promise<RedisServer> {
  const binary = findOnPath('redis-server') ?? findOnPath('valkey-server')
  if (binary === undefined) throw new Error('redis-server is not on the PATH')
  await mkdir(dir, { recursive: true })
  const port = await findFreePort()
  const socket = join(dir, 'redis.sock')
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--unixsocket', socket, '--dir', dir, '--save', '', '--daemonize', 'no']
  const policy = ['--appendonly', 'yes', '--appendfsync', appendfsync, '--maxmemory-policy', 'noeviction']
  let child: Child
  const start = async (): Promise<void> => {
    child = startChild({ name: 'redis', command: binary, args: [...args, ...policy] })
    await answers(port)
  }
  await start()
  const stop: RedisServer['stop'] = async (how = 'orderly') => {
    if (how === 'kill') child.signal('SIGKILL')
    await child.stop(5000)
  }
  const written = async (): Promise<void> => {
    const client = new Redis({ port })
    try {
      await waitFor('redis to write its file', async () => /^aof_buffer_length:0\r$/m.test(await client.info('persistence')))
    } finally {
      client.disconnect()
    }
  }
  return { socket, url: `redis://127.0.0.1:${port}`, port, child: () => child, stop, written, start }
}

async function answers(port: number): Promise<void> {
  const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => 20 })
  client.on('error', () => undefined)
  try {
    await waitFor('redis to answer', async () => (await client.ping()) === 'PONG', { timeoutMs: 60_000, intervalMs: 20 })
  } finally {
    client.disconnect()
  }
}
