// What 50 open pages cost: their streams, and what each of them asks beside its stream, as a real page was seen to ask it. All have a session, as browsers.
// The scaler is away, because its own commands, some thirty a second, would hide theirs; its report is written in its place.
import { get, Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { openTestStore } from '../../harness/store.ts'
import type { Stack } from '../../harness/stack.ts'
import { processorMs } from '../processor-ms.ts'
import type { Measured } from '../table.ts'
import type { PageBench } from './world.ts'

const PAGES = 50
/** A page asks most of its questions once a minute at least. */
const WINDOW_MS = 60_000
/** Without the scaler a gateway asks the same each second. */
const NONE_MS = 20_000
const REPORT_EVERY_MS = 10_000
const SETTLE_MS = 4000

export async function measureOpenPages(bench: PageBench): Promise<readonly Measured[]> {
  const { stack } = bench
  await stack.scaler.child().stop()
  const reports = await writeReports(stack)
  try {
    return await measure(bench)
  } finally {
    await reports[Symbol.asyncDispose]()
    await stack.scaler.start()
  }
}

/** As the leader does. */
async function writeReports({ redis }: Stack): Promise<AsyncDisposable> {
  const store = await openTestStore(redis.url)
  const write = (): void => void store.scalerReport.put({ at: Date.now(), metrics: {} }).catch(() => undefined)
  const timer = setInterval(write, REPORT_EVERY_MS)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await store[Symbol.asyncDispose]()
    },
  }
}

async function measure({ stack, openPage, cookie, times }: PageBench): Promise<readonly Measured[]> {
  const windowMs = times(WINDOW_MS)
  const { topics, asked } = await watchPage(openPage, windowMs)
  const none = await costOf(stack, times(NONE_MS))
  const ask = createAsk(stack, cookie)
  const streams = Array.from({ length: PAGES }, () =>
    ask(`/runyard/v1/live?topics=${encodeURIComponent(topics)}`, (answer) => answer.resume()),
  )
  await sleep(SETTLE_MS)
  const listening = await costOf(stack, windowMs)
  const over = new AbortController()
  const asking = askLikePages(ask, { asked, windowMs, signal: over.signal })
  await sleep(SETTLE_MS)
  const all = await costOf(stack, windowMs)
  over.abort()
  await asking
  for (const stream of streams) stream.destroy()
  const path = `${PAGES} open pages`
  const share = (cost: Cost): number => (cost.processorMs - none.processorMs) * 100
  const commands = (cost: Cost): number => (cost.commands - none.commands) * 1000
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

type Ask = (path: string, take: (answer: IncomingMessage) => void) => ClientRequest

/** As a browser does. */
function createAsk({ url }: Stack, cookie: string): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 * PAGES })
  const headers = { cookie, 'sec-fetch-site': 'same-origin', 'accept-encoding': 'gzip' }
  return (path, take) => get(`${url}${path}`, { agent, headers }, take).on('error', () => undefined)
}

interface Asking {
  readonly asked: readonly Asked[]
  readonly windowMs: number
  readonly signal: AbortSignal
}

/** Each page at a time of its own. */
async function askLikePages(ask: Ask, { asked, windowMs, signal }: Asking): Promise<void> {
  const pages = Array.from({ length: PAGES }, async (_, page) => {
    await pause((page * windowMs) / PAGES, signal)
    while (!signal.aborted) {
      const beganAt = Date.now()
      for (const { afterMs, path } of asked) {
        await pause(beganAt + afterMs - Date.now(), signal)
        if (signal.aborted) return
        await new Promise<void>((resolve) => {
          ask(path, (answer) => answer.resume().on('end', resolve)).on('close', resolve)
        })
      }
      await pause(beganAt + windowMs - Date.now(), signal)
    }
  })
  await Promise.all(pages)
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined)

/** Per millisecond. */
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
  return { processorMs: (after.processorMs - before.processorMs) / windowMs, commands: (after.commands - before.commands) / windowMs }
}
