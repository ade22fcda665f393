// What keeping the history costs the hot path (ADR 79): two stacks of this tree, one that keeps it and one that does not, asked in turn. Each round gives a
// pair, and each pair a ratio, so that a machine whose speed drifts affects both sides alike.
import { setTimeout as sleep } from 'node:timers/promises'
import { processorMs } from '../processor-ms.ts'
import { startStack, type Stack } from '../../harness/stack.ts'
import { NO_OP_BODY, targetOf, withRunsync } from '../jobs.ts'
import { measureSequence, median, sendMany } from '../load.ts'
import type { Measured } from '../table.ts'

const PAIRS = 12
const WARM_UP_PAIRS = 3
const CONNECTIONS = 8
const WORKERS = 2
/** The history is written once a second, after the jobs. */
const WRITTEN_MS = 1500
const BUDGET = { of: 'ratio', most: 1.03 } as const

interface Side {
  readonly stack: Stack
  readonly endpointId: string
}

interface Cost {
  /** Ms of processor time of gateway, scaler and Redis per job. */
  readonly processorMs: number
  readonly p50Ms: number
}

export async function measureHistoryCost(times: (full: number) => number): Promise<readonly Measured[]> {
  await using scope = new AsyncDisposableStack()
  const open = async (settings: Readonly<Record<string, string>>): Promise<Side> => {
    const stack = await startStack({ host: 'process', settings: { RUNYARD_LOG_LEVEL: 'info', ...settings } })
    scope.defer(() => stack.stop())
    const warm = { name: 'bench-history', workersMin: WORKERS, workersMax: WORKERS, idleTimeout: 600 }
    return { stack, endpointId: await stack.api.saveEndpoint(warm) }
  }
  const kept = await open({})
  const off = await open({ RUNYARD_HISTORY_BYTES: '0' })
  const jobs = times(2000)
  const pairs: (readonly [kept: Cost, off: Cost])[] = []
  for (let round = -WARM_UP_PAIRS; round < PAIRS; round += 1) {
    const pair = await inEitherOrder(round % 2 === 0, { kept: () => costOf(kept, jobs), off: () => costOf(off, jobs) })
    if (round >= 0) pairs.push(pair)
  }
  const row = (path: string, read: (cost: Cost) => number): Measured => ({
    path,
    ours: median(pairs.map(([one]) => read(one))),
    beside: median(pairs.map(([, other]) => read(other))),
    ratios: pairs.map(([one, other]) => read(one) / read(other)),
    unit: 'ms',
    budget: BUDGET,
  })
  return [
    row('processor time of gateway, scaler and Redis per job with the history, over without', (cost) => cost.processorMs),
    row('warm /runsync with the history, p50, over without', (cost) => cost.p50Ms),
  ]
}

/** Who comes second finds warmer caches. */
async function inEitherOrder<T>(
  isKeptFirst: boolean,
  { kept, off }: { readonly kept: () => Promise<T>; readonly off: () => Promise<T> },
): Promise<readonly [T, T]> {
  if (isKeptFirst) return [await kept(), await off()]
  const other = await off()
  return [await kept(), other]
}

async function costOf({ stack, endpointId }: Side, jobs: number): Promise<Cost> {
  const before = await spentMs(stack)
  await sendMany(targetOf(stack, `/v2/${endpointId}/runsync`, NO_OP_BODY), { connections: CONNECTIONS, count: jobs })
  await sleep(WRITTEN_MS)
  const spent = (await spentMs(stack)) - before
  const latencies = await withRunsync(stack, endpointId, (send) => measureSequence(send, Math.ceil(jobs / 4)))
  return { processorMs: spent / jobs, p50Ms: median(latencies) }
}

async function spentMs({ gateway, scaler, redis }: Stack): Promise<number> {
  const spent = await Promise.all([gateway.pid(), scaler.pid(), redis.pid].map(processorMs))
  return spent.reduce((sum, ms) => sum + ms, 0)
}
