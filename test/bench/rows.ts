// Runs each measurement beside its floor and makes the table's rows. The order keeps load away from latency.
import type { Stack } from '../harness/stack.ts'
import { bareAdds, bareContainerStart, bareEcho, bareRoundTrip, bareTakeAndComplete } from './floors.ts'
import { percentile } from './load.ts'
import { acceptedRuns, coldStarts, endToEnd, endToEndWithoutPython, idleCommands, killToRerun, warmRunsync } from './measures.ts'
import type { Row } from './table.ts'

export interface BenchOptions {
  readonly stack: Stack
  readonly image: string
  readonly planeHost: string
  readonly say: (line: string) => void
}

type Measure = (options: BenchOptions) => Promise<readonly Row[]>

const LATENCY = { perSecond: 100, count: 1000 }
const PING_INTERVAL_S = 10

const latency: Measure = async ({ stack, say }) => {
  say('warm /runsync at 100/s')
  const floor = await bareRoundTrip(stack.redis.url, LATENCY)
  const ours = await warmRunsync(stack, LATENCY)
  const at = (share: number): Pick<Row, 'ours' | 'floor' | 'ratio'> => {
    const [mine, bare] = [percentile(ours, share), percentile(floor, share)]
    return { ours: ms(mine), floor: ms(bare), ratio: times(mine / bare) }
  }
  return [
    { path: 'warm /runsync at 100/s, p50', ...at(0.5), budget: '≤ 4×' },
    { path: 'warm /runsync at 100/s, p99', ...at(0.99), budget: '≤ 25 ms' },
  ]
}

const accepted: Measure = async ({ stack, say }) => {
  say('POST /run accepted per second')
  const floor = Math.min(await bareAdds(stack.redis.url, 2000), await bareEcho(2000))
  const ours = await acceptedRuns(stack, 2000)
  return [{ path: 'POST /run accepted', ours: perSecond(ours), floor: perSecond(floor), ratio: times(ours / floor), budget: '≥ 0.5×' }]
}

const through: Measure = async ({ stack, say }) => {
  say('no-op jobs end to end')
  const floor = await bareTakeAndComplete(stack.redis.url, 10_000)
  const row = (path: string, ours: number): Row => ({
    path: `no-op jobs end to end, ${path}`,
    ours: perSecond(ours),
    floor: perSecond(floor),
    ratio: times(ours / floor),
    budget: '≥ 0.4×',
  })
  return [
    row('32 workers that answer at once', await endToEndWithoutPython(stack, { workers: 32, count: 5000 })),
    row('2 Python workers', await endToEnd(stack, { workers: 2, count: 2000 })),
  ]
}

const cold: Measure = async ({ stack, image, planeHost, say }) => {
  if (stack.host !== 'docker') return []
  say('cold start: POST to the first line of the function')
  const floor = percentile(await bareContainerStart({ image, host: planeHost, count: 5 }), 0.5)
  const ours = percentile(await coldStarts(stack, 5), 0.5)
  return [{ path: 'cold start, image present, median', ours: ms(ours), floor: ms(floor), ratio: times(ours / floor), budget: '≤ 2×' }]
}

const kill: Measure = async ({ stack, say }) => {
  say('worker killed in mid-job')
  const ours = await killToRerun(stack, 3)
  return [
    {
      path: 'worker killed → job runs again, worst of 3',
      ours: `${Math.max(...ours).toFixed(2)} s`,
      floor: '–',
      ratio: '–',
      budget: '< 2 s',
    },
  ]
}

const idle: Measure = async ({ stack, say }) => {
  say('Redis commands of idle workers')
  const ours = await idleCommands(stack, 20_000)
  const ping = 1 / PING_INTERVAL_S
  const path = 'Redis commands of one idle worker'
  return [
    { path, ours: `${ours.toFixed(2)}/s`, floor: `ping ${ping}/s`, ratio: times(ours / ping), budget: 'none more often than its ping' },
  ]
}

/** A measurement that fails becomes a row that says so; the others go on. */
export async function measureAll(options: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const measure of [latency, accepted, through, cold, kill, idle]) {
    try {
      rows.push(...(await measure(options)))
    } catch (error) {
      const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      rows.push({ path: measure.name, ours: `failed: ${text}`, floor: '', ratio: '', budget: '' })
    }
  }
  return rows
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`
}

function times(value: number): string {
  return `${value.toFixed(2)}×`
}
