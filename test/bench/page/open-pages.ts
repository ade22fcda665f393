// What 50 open pages cost: their streams, and what each of them asks beside its stream, as a real page was seen to ask it.
import { get, Agent, type ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Stack } from '../../harness/stack.ts'
import { processorMs } from '../processor-ms.ts'
import type { Measured } from '../table.ts'
import type { PageBench } from './world.ts'

const PAGES = 50
/** Longer than most of what a page asks again. */
const WINDOW_MS = 12_000
const SETTLE_MS = 4000

export async function measureOpenPages({ stack, openPage, times }: PageBench): Promise<readonly Measured[]> {
  const windowMs = times(WINDOW_MS)
  const { topics, asked } = await watchPage(openPage, windowMs)
  const none = await costOf(stack, windowMs)
  const streams = openStreams(stack, topics)
  await sleep(SETTLE_MS)
  const listening = await costOf(stack, windowMs)
  const over = new AbortController()
  const asking = askLikePages(stack, { asked, windowMs, signal: over.signal })
  await sleep(SETTLE_MS)
  const all = await costOf(stack, windowMs)
  over.abort()
  await asking
  for (const stream of streams) stream.destroy()
  const path = `${PAGES} open pages`
  const share = (cost: Cost): number => ((cost.processorMs - none.processorMs) / windowMs) * 100
  const commands = (cost: Cost): number => ((cost.commands - none.commands) / windowMs) * 1000
  return [
    {
      path: `${path}, their streams: percent of a core in the gateway`,
      ours: share(listening),
      unit: 'count',
      budget: { of: 'ours', most: 5 },
    },
    {
      path: `${path}, their streams: Redis commands more than with none`,
      ours: commands(listening),
      unit: 'per second',
      budget: { of: 'ours', most: 1 },
    },
    {
      path: `${path}, with all that they ask (${asked.length} requests each in ${windowMs / 1000} s): percent of a core`,
      ours: share(all),
      unit: 'count',
      budget: { of: 'ours', most: 5 },
    },
    {
      path: `${path}, with all that they ask: Redis commands more than with none`,
      ours: commands(all),
      unit: 'per second',
      budget: { of: 'ours', most: 1 },
    },
  ]
}

interface Asked {
  readonly afterMs: number
  readonly path: string
}

/** The topics of a real page's stream, and what it asks once it is there. */
async function watchPage(openPage: PageBench['openPage'], windowMs: number) {
  await using opened = await openPage('/')
  const { page } = opened
  const urls: URL[] = []
  page.on('request', (request) => urls.push(new URL(request.url())))
  await page.reload()
  await sleep(SETTLE_MS)
  const topics = urls.find(({ pathname }) => pathname.endsWith('/live'))?.searchParams.get('topics') ?? 'pool,endpoints'
  const beganAt = Date.now()
  const asked: Asked[] = []
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url())
    asked.push({ afterMs: Date.now() - beganAt, path: `${pathname}${search}` })
  })
  await sleep(windowMs)
  return { topics, asked }
}

function openStreams({ url, key }: Stack, topics: string): readonly ClientRequest[] {
  const agent = new Agent({ maxSockets: PAGES })
  return Array.from({ length: PAGES }, () => {
    const path = `${url}/runyard/v1/live?topics=${encodeURIComponent(topics)}`
    const request = get(path, { agent, headers: { authorization: `Bearer ${key}` } }, (answer) => answer.resume())
    request.on('error', () => undefined)
    return request
  })
}

interface Asking {
  readonly asked: readonly Asked[]
  readonly windowMs: number
  readonly signal: AbortSignal
}

/** Each page at a time of its own. */
async function askLikePages({ url, key }: Stack, { asked, windowMs, signal }: Asking): Promise<void> {
  const pages = Array.from({ length: PAGES }, async (_, page) => {
    await pause((page * windowMs) / PAGES, signal)
    while (!signal.aborted) {
      const beganAt = Date.now()
      for (const { afterMs, path } of asked) {
        await pause(beganAt + afterMs - Date.now(), signal)
        if (signal.aborted) return
        await (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } })).arrayBuffer()
      }
      await pause(beganAt + windowMs - Date.now(), signal)
    }
  })
  await Promise.all(pages)
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined)

interface Cost {
  readonly processorMs: number
  readonly commands: number
}

async function costOf({ gateway, redis }: Stack, windowMs: number): Promise<Cost> {
  const client = new Redis(redis.url)
  const read = async (): Promise<Cost> => ({
    processorMs: await processorMs(gateway.pid()),
    commands: Number(/total_commands_processed:(\d+)/u.exec(await client.info('stats'))?.[1]),
  })
  const before = await read()
  await sleep(windowMs)
  const after = await read()
  client.disconnect()
  return { processorMs: after.processorMs - before.processorMs, commands: after.commands - before.commands }
}
