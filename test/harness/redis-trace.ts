// Which client sends which commands to Redis: every command, with the name of its connection and the commands that its script ran. MONITOR
// reports connections by address, CLIENT LIST maps addresses to names, so connections over a unix socket remain nameless.
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'

export interface TracedCommand {
  /** The name of the connection; empty if it has none or cannot be identified. */
  readonly client: string
  readonly args: readonly string[]
  /** Commands of its script. They cost no round trip. */
  readonly inside: readonly (readonly string[])[]
}

/** All commands during `work`, except those of the trace itself. */
export async function traceRedis(redisUrl: string, work: () => Promise<unknown>): Promise<readonly TracedCommand[]> {
  const client = new Redis(redisUrl, { connectionName: 'trace' })
  const seen: { source: string; args: readonly string[]; inside: (readonly string[])[] }[] = []
  const monitor = await openMonitor(client, ({ args, source }) => {
    // A script's own commands follow it directly.
    if (source === 'lua') seen.at(-1)?.inside.push(args)
    else seen.push({ source, args, inside: [] })
  })
  const names = await namesByAddress(client)
  try {
    await work()
    for (const [address, name] of await namesByAddress(client)) names.set(address, name)
    return seen
      .map(({ source, ...command }) => ({ client: names.get(source) ?? '', ...command }))
      .filter((command) => command.client !== 'trace')
  } finally {
    monitor.destroy()
    client.disconnect()
  }
}

/** Where the connection of `client` leads. ioredis' own MONITOR breaks if a command of another client arrives in the packet of its first reply. */
async function openMonitor({ options }: Redis, onCommand: (command: { args: readonly string[]; source: string }) => void): Promise<Socket> {
  const { path, host = '127.0.0.1', port = 6379 } = options
  const socket = path === undefined ? connect({ host, port }) : connect({ path })
  const begun = Promise.withResolvers<undefined>()
  socket.on('error', begun.reject)
  createInterface({ input: socket }).on('line', (line) => {
    if (line === '+OK') return begun.resolve(undefined)
    // +1796049658.126547 [0 127.0.0.1:49428] "evalsha" "…"
    const [, source = '', words] = /^\+[\d.]+ \[\d+ ([^\]]*)\] "(.*)"$/u.exec(line) ?? []
    if (words === undefined) begun.reject(new Error(`Redis answered MONITOR with: ${line}`))
    else onCommand({ source, args: words.split('" "').map((word) => word.replaceAll(String.raw`\"`, '"')) })
  })
  socket.write('MONITOR\r\n')
  await begun.promise
  return socket
}

/** True if the command names the endpoint in a key or an argument. */
export function concerns({ args }: TracedCommand, endpointId: string): boolean {
  return args.some((arg) => arg.includes(endpointId))
}

/** True for a ping: one script that records that the worker was seen. */
export function isHeartbeat({ inside }: TracedCommand): boolean {
  return inside.some(([command, , field]) => command?.toLowerCase() === 'hset' && field === 'lastSeenAt')
}

/** How often each client sent each command, most frequent first, e.g. `12 × runyard-gateway: evalsha → exists, hset, lrange`. */
export function summarize(commands: readonly TracedCommand[]): readonly string[] {
  const described = commands.map(({ client, args: [command = ''], inside }) => {
    const steps = [...new Set(inside.map(([step = '']) => step.toLowerCase()))].join(', ')
    return `${client}: ${command.toLowerCase()}${steps === '' ? '' : ` → ${steps}`}`
  })
  const counts = [...Map.groupBy(described, (line) => line)].map(([line, { length }]) => ({ line, length }))
  return counts.toSorted((a, b) => b.length - a.length).map(({ line, length }) => `${length} × ${line}`)
}

async function namesByAddress(client: Redis): Promise<Map<string, string>> {
  const lines = String(await client.client('LIST')).split('\n')
  return new Map(lines.map((line) => [/ addr=(\S+)/.exec(line)?.[1] ?? '', / name=(\S*)/.exec(line)?.[1] ?? '']))
}
