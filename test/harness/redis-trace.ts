// Who asks what of Redis: every command that reaches it, told by the name of the connection it came over, with what its script did inside.
// MONITOR knows connections by their address alone, and CLIENT LIST their names, so those that come by a unix socket remain nameless.
import { Redis } from 'ioredis'

export interface TracedCommand {
  /** Of the connection; empty where it has none or cannot be told apart. */
  readonly client: string
  readonly args: readonly string[]
  /** Commands of its script. They cost no trip. */
  readonly inside: readonly (readonly string[])[]
}

/** Everything that was asked while `work` went on, except by the trace itself. */
export async function traceRedis(redisUrl: string, work: () => Promise<unknown>): Promise<readonly TracedCommand[]> {
  const client = new Redis(redisUrl, { connectionName: 'trace' })
  const monitor = await client.monitor()
  const seen: { source: string; args: readonly string[]; inside: (readonly string[])[] }[] = []
  monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
    // A script's own commands follow it, and nothing comes between.
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
    monitor.disconnect()
    client.disconnect()
  }
}

/** Does it name the endpoint, in a key or an argument? */
export function concerns({ args }: TracedCommand, endpointId: string): boolean {
  return args.some((arg) => arg.includes(endpointId))
}

/** A ping as it should be: one script that notes that the worker was seen. */
export function isHeartbeat({ inside }: TracedCommand): boolean {
  return inside.some(([command, , field]) => command?.toLowerCase() === 'hset' && field === 'lastSeenAt')
}

/** How often each client asked each thing, most often first, e.g. `12 × runyard-gateway: evalsha → exists, hset, lrange`. */
export function summarize(commands: readonly TracedCommand[]): readonly string[] {
  const told = commands.map(({ client, args: [command = ''], inside }) => {
    const steps = [...new Set(inside.map(([step = '']) => step.toLowerCase()))].join(', ')
    return `${client}: ${command.toLowerCase()}${steps === '' ? '' : ` → ${steps}`}`
  })
  const counts = [...Map.groupBy(told, (line) => line)].map(([line, { length }]) => ({ line, length }))
  return counts.toSorted((a, b) => b.length - a.length).map(({ line, length }) => `${length} × ${line}`)
}

async function namesByAddress(client: Redis): Promise<Map<string, string>> {
  const lines = String(await client.client('LIST')).split('\n')
  return new Map(lines.map((line) => [/ addr=(\S+)/.exec(line)?.[1] ?? '', / name=(\S*)/.exec(line)?.[1] ?? '']))
}
