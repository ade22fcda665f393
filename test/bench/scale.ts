// `pnpm bench scale`: what a tick of one scaler costs in a large pool, and how that grows. It has its own Redis and simulated hosts, and needs no stack.
// Processor time is this process's alone, which holds only the scaler; scripts are counted by Redis.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { JsonText } from '@runyard/schema'
import { Redis } from 'ioredis'
import { median } from './load.ts'
import { openWorld, type Size, type World } from './scale-world.ts'
import type { Measured } from './table.ts'

const FULL: Size = { hosts: 10, cardsPerHost: 8, endpoints: 200, workers: 1000 }
const HALF: Size = { hosts: 5, cardsPerHost: 8, endpoints: 100, workers: 500 }
const TICKS = 20
/** Endpoints with a new job per tick. */
const CHANGED = 10
const SUBMITS_AT_ONCE = 256
const INPUT = JsonText.parse('{"n":1}')

interface Cost {
  readonly cpuMs: number
  readonly scripts: number
}

export async function measureScale(times: (full: number) => number, say: (line: string) => void): Promise<readonly Measured[]> {
  const jobs = times(1_000_000)
  const half = await measureWorld(HALF, Math.ceil(jobs / 2), say)
  const full = await measureWorld(FULL, jobs, say)
  const budget = { of: 'ours', most: 50 } as const
  const rows = (what: string, pick: (seen: typeof full) => Cost): Measured[] => [
    {
      path: `scaler tick, processor time, ${what}; beside it half the pool`,
      ours: pick(full).cpuMs,
      beside: pick(half).cpuMs,
      unit: 'ms',
      budget,
    },
    { path: `scripts per tick, ${what}; beside it half the pool`, ours: pick(full).scripts, beside: pick(half).scripts, unit: 'count' },
  ]
  const queued = `${jobs.toLocaleString('en')} jobs wait`
  return [
    ...rows('200 endpoints, 1,000 workers, nothing changes', ({ quiet }) => quiet),
    ...rows(`${queued}, nothing changes`, ({ loaded }) => loaded),
    ...rows(`${queued}, ${CHANGED} endpoints change`, ({ busy }) => busy),
    { path: `scaler heap, ${queued}; beside it half the pool`, ours: full.heapBytes, beside: half.heapBytes, unit: 'bytes' },
  ]
}

async function measureWorld(size: Size, jobs: number, say: (line: string) => void) {
  say(`${size.endpoints} endpoints, ${size.workers} workers`)
  await using world = await openWorld(size)
  const quiet = await costOfTicks(world, async () => undefined)
  say(`queueing ${jobs.toLocaleString('en')} jobs`)
  await fill(world, jobs)
  const loaded = await costOfTicks(world, async () => undefined)
  let next = 0
  const busy = await costOfTicks(world, async () => {
    const ids = Array.from({ length: CHANGED }, () => world.endpointIds[next++ % world.endpointIds.length] ?? '')
    await Promise.all(ids.map((id) => submit(world, id, `change-${next}-${id}`)))
  })
  return { quiet, loaded, busy, heapBytes: usedHeap() }
}

async function costOfTicks({ scaler, redis: { url } }: World, change: () => Promise<void>): Promise<Cost> {
  const redis = new Redis(url)
  await scaler.loop.tick()
  const costs: number[] = []
  let scripts = 0
  for (let tick = 0; tick < TICKS; tick++) {
    await change()
    const scriptsBefore = await scriptsOf(redis)
    const before = process.cpuUsage()
    await scaler.loop.tick()
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / 1000)
    scripts += (await scriptsOf(redis)) - scriptsBefore
  }
  redis.disconnect()
  return { cpuMs: median(costs), scripts: scripts / TICKS }
}

async function scriptsOf(redis: Redis): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
}

async function fill(world: World, jobs: number): Promise<void> {
  for (let done = 0; done < jobs; done += SUBMITS_AT_ONCE) {
    const ids = Array.from({ length: Math.min(SUBMITS_AT_ONCE, jobs - done) }, (_, index) => done + index)
    await Promise.all(ids.map((n) => submit(world, world.endpointIds[n % world.endpointIds.length] ?? '', `job-${n}`)))
  }
}

async function submit({ store }: World, endpointId: string, id: string): Promise<void> {
  await store.jobs.submit(endpointId, { id, input: INPUT, sync: false, policy: {}, keyId: 'bench' })
}

function usedHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}
