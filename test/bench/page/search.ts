// The search for jobs among a million ended ones, by what it has answers for: status, time and id.
import type { Stack } from '../../harness/stack.ts'
import { measureSequence, percentile } from '../load.ts'
import { processorMs } from '../processor-ms.ts'
import type { Measured } from '../table.ts'
import type { PageBench } from './world.ts'

const DAY_MS = 24 * 3_600_000
const MOST_MS = 100

interface Found {
  readonly jobs: readonly { readonly id: string }[]
}

export async function measureSearch({ stack, until, endedJobs, times }: PageBench): Promise<readonly Measured[]> {
  const from = until - DAY_MS
  const at = (share: number): number => Math.round(from + share * DAY_MS)
  const idOf = async (share: number): Promise<string> =>
    (await find(stack, `jobs?limit=1&since=${from}&until=${at(share)}`)).jobs[0]?.id ?? ''
  const ids = await Promise.all([0.05, 0.3, 0.5, 0.7, 0.95].map(idOf))
  const kinds: Readonly<Record<string, (turn: number) => string>> = {
    'status, one in 250': (turn) => `jobs?status=FAILED&since=${from}&until=${at(0.9 - (turn % 8) / 10)}`,
    'status, none': () => `jobs?status=TIMED_OUT&since=${from}&until=${until}`,
    time: (turn) => `jobs?since=${at((turn % 10) / 10)}&until=${at((turn % 10) / 10 + 0.05)}`,
    'part of an id': (turn) => `jobs?since=${from}&until=${until}&q=${(ids[turn % ids.length] ?? '').slice(0, 12)}`,
    id: (turn) => `jobs/${ids[turn % ids.length] ?? ''}`,
  }
  const among = `${endedJobs.toLocaleString('en')} ended jobs`
  const rows: Measured[] = []
  for (const [kind, pathOf] of Object.entries(kinds)) {
    let turn = 0
    const send = () => find(stack, pathOf(turn++))
    // Not counted, while the code is compiled.
    await measureSequence(send, times(3))
    const before = await processorMs(stack.gateway.pid())
    const spent = await measureSequence(send, times(20))
    const each = ((await processorMs(stack.gateway.pid())) - before) / spent.length
    rows.push(
      { path: `search by ${kind}, in ${among}, p95`, ours: percentile(spent, 0.95), unit: 'ms', budget: { of: 'ours', most: MOST_MS } },
      { path: `search by ${kind}: processor time`, ours: each, unit: 'ms' },
    )
  }
  return rows
}

async function find({ url, key }: Stack, path: string): Promise<Found> {
  const answer = await fetch(`${url}/runyard/v1/${path}`, { headers: { authorization: `Bearer ${key}` } })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return (await answer.json()) as Found
}
