// Restores the data of an earlier version into a Redis and a data directory, as if that version had just stopped.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Redis } from 'ioredis'

const FIXTURES = join(import.meta.dirname, '..', 'fixtures')
/** When the fixture was made; its times are shifted by the time that has passed since. */
const MADE_AT = 1_795_945_922_000
const TIMES = /\b179\d{10}\b/g

interface Dumped {
  readonly type: 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream'
  readonly ttl: number
  readonly value: unknown
}

/** The path of the only blob of version 0, below the blob directory. */
const BLOB = 'd38a218cb7aa/xeg3rr4y3elrpj/54/54b0d6c4-92ae-4cf0-8180-35b82629ab73-u1/input-CC5KJHhmfEw_'

export async function restoreVersion0({ redisUrl, dataDir }: { redisUrl: string; dataDir: string }): Promise<void> {
  const directory = join(FIXTURES, 'data-version-0')
  const shift = Date.now() - MADE_AT
  const text = (await readFile(join(directory, 'redis.json'), 'utf8')).replaceAll(TIMES, (time) => String(Number(time) + shift))
  const client = new Redis(redisUrl)
  try {
    for (const [key, dumped] of Object.entries(JSON.parse(text) as Record<string, Dumped>)) await restore(client, key, dumped)
  } finally {
    client.disconnect()
  }
  const blob = join(dataDir, 'blobs', BLOB)
  await mkdir(dirname(blob), { recursive: true })
  await writeFile(blob, gunzipSync(await readFile(join(directory, 'input.gz'))))
}

async function restore(client: Redis, key: string, { type, ttl, value }: Dumped): Promise<void> {
  if (type === 'string') await client.set(key, value as string)
  if (type === 'hash') await client.hset(key, value as Record<string, string>)
  if (type === 'list') await client.rpush(key, ...(value as string[]))
  if (type === 'set') await client.sadd(key, ...(value as string[]))
  if (type === 'zset') await client.zadd(key, ...inPairs(value as string[]).flatMap(([member, score]) => [score, member]))
  if (type === 'stream') for (const [id, fields] of value as [string, string[]][]) await client.xadd(key, id, ...fields)
  if (ttl > 0) await client.pexpire(key, ttl)
}

function inPairs(flat: readonly string[]): readonly (readonly [string, string])[] {
  return flat.flatMap((member, at) => (at % 2 === 0 ? [[member, flat[at + 1] ?? '0'] as const] : []))
}
