// Usage and its cost (ADR 82): the ledger, the metrics and the route say the same, in every grouping.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { USAGE_DIMENSIONS, type UsageDimension } from '@runyard/schema/api'
import { loadConfig } from '@runyard/kit'
import { BILLING_STATES, Config } from '@runyard/schema'
import * as fc from 'fast-check'
import { beforeAll, expect, it, vi } from 'vitest'
import { followPrices } from '../follow-prices.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const DAY_MS = 24 * 3600 * 1000
const DAY = Date.parse('2026-01-01T00:00:00Z')
const L4 = 'NVIDIA L4'
const PRICES = { currency: 'EUR', gpuPerHour: { [L4]: 3.6 }, cpuWorkerPerHour: 0.36 }

const startGateway = useGateways()
let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({ prices: PRICES })
})

interface Life {
  readonly endpointId: string
  readonly from: number
  readonly ms: number
  readonly gpuType: string | null
  readonly state: (typeof BILLING_STATES)[number]
  readonly hostId: string
  readonly keyId: string
}

let workers = 0
async function live({ from, ms, gpuType, ...row }: Life): Promise<void> {
  workers += 1
  const workerId = `w${workers}`
  const gpus = gpuType === null ? { gpuCount: 0 } : { gpuCount: 2, cards: ['GPU-1', 'GPU-2'] }
  await gateway.store.ledger.transition({ ...row, ...gpus, workerId, gpuType, at: DAY + from })
  await gateway.store.ledger.close(workerId, DAY + from + ms, 'idle_timeout')
}

interface Sums {
  readonly seconds: number
  readonly billableSeconds: number
  readonly gpuSeconds: number
  readonly cost: number
}
interface Usage {
  readonly usage: readonly (Sums & Record<string, unknown>)[]
  readonly total: Sums
}

const usageBy = (by: readonly UsageDimension[]): Promise<Usage> => gateway.read(`/runyard/v1/usage?from=0&by=${by.join(',')}`)

const NAMES = ['seconds', 'billableSeconds', 'gpuSeconds'] as const
const add = (lines: readonly Sums[]) => NAMES.map((name) => lines.reduce((sum, line) => sum + line[name], 0))

/** Of the page of metrics, over all endpoints. */
async function billedByMetrics(): Promise<number> {
  const { text } = await gateway.call('/metrics?scope=pool')
  return [...text.matchAll(/^runyard_(?:deleted_endpoints_)?billable_seconds_total\{.*\} (\S+)$/gmu)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  )
}

it('the ledger, the metrics and the route agree to the second, in every grouping, before and after intervals become days', async () => {
  const [one, two, gone] = await Promise.all([gateway.addEndpoint(), gateway.addEndpoint(), gateway.addEndpoint()])
  const life = fc.record({
    endpointId: fc.constantFrom(one.id, two.id, gone.id),
    from: fc.integer({ min: 0, max: 5 * 86_400 }).map((seconds) => seconds * 1000),
    ms: fc.integer({ min: 1, max: 2 * 86_400 }).map((seconds) => seconds * 1000),
    gpuType: fc.constantFrom(L4, null),
    state: fc.constantFrom(...BILLING_STATES),
    hostId: fc.constantFrom('host-a', 'host-b'),
    keyId: fc.constantFrom('key-a', 'key-b'),
  })
  const billed = Config.parse({}).billing.states
  await fc.assert(
    fc.asyncProperty(
      fc.array(life, { minLength: 1, maxLength: 8 }),
      fc.subarray([...USAGE_DIMENSIONS], { minLength: 1 }),
      async (lives, by) => {
        for (const each of lives) await live(each)
        const check = async (): Promise<readonly number[]> => {
          const rows = await usageBy(by)
          expect(add(rows.usage)).toEqual(add([rows.total]))
          expect(rows.total.billableSeconds).toBe(await billedByMetrics())
          return add([rows.total])
        }
        const before = await check()
        await gateway.store.ledger.tidy(DAY + 100 * DAY_MS, 97 * DAY_MS)
        expect(await check()).toEqual(before)
      },
    ),
    { numRuns: 12 },
  )
  const rows = await gateway.store.ledger.rows({ from: 0, to: Infinity })
  expect(rows.length).toBeGreaterThan(0)
  expect(rows[0]).toMatchObject({
    hostId: expect.stringMatching(/^host-/),
    keyId: expect.stringMatching(/^key-/),
    endReason: 'idle_timeout',
  })
  const { total } = await usageBy(['gpu'])
  // Everybody's rows are of this owner.
  expect(total.billableSeconds).toBe(
    (await usageBy(['state'])).usage
      .filter(({ state }) => billed.some((word) => word === state))
      .reduce((sum, line) => sum + line.seconds, 0),
  )
})

it('of intervals of any length, the route is above the metrics by less than a second for each day that each touches', async () => {
  const { id: endpointId } = await gateway.addEndpoint()
  const facts = { endpointId, gpuType: L4, state: 'running', hostId: 'host-a', keyId: 'key-a' } as const
  const span = fc.record({ from: fc.integer({ min: 0, max: 5 * DAY_MS }), ms: fc.integer({ min: 1, max: 2 * DAY_MS }) })
  const read = async () => ({ route: (await usageBy(['day'])).total.billableSeconds, metrics: await billedByMetrics() })
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 6 }), async (spans) => {
      const before = await read()
      for (const each of spans) await live({ ...facts, ...each })
      const after = await read()
      const above = after.route - before.route - (after.metrics - before.metrics)
      const days = spans.reduce((sum, { from, ms }) => sum + Math.ceil((from + ms) / DAY_MS) - Math.floor(from / DAY_MS), 0)
      expect(above).toBeGreaterThanOrEqual(-0.001)
      expect(above).toBeLessThan(days)
    }),
    { numRuns: 8 },
  )
})

it('names keys and hosts, prices the billed part, and writes a table that a spreadsheet reads', async () => {
  const own = await startGateway({ prices: PRICES })
  const { id } = await own.addEndpoint({ name: '=1+1,"x"' })
  const [key] = await own.store.keys.list()
  const row = {
    endpointId: id,
    gpuType: L4,
    gpuCount: 2,
    hostId: 'h',
    keyId: key?.id ?? '',
    reason: 'first_job',
  } as const
  await own.store.ledger.transition({ ...row, cards: ['GPU-1', 'GPU-2'], workerId: 'w', state: 'initializing', at: DAY })
  // The gateway that reports the worker's state knows neither host nor key.
  await own.store.ledger.transition({ workerId: 'w', endpointId: id, gpuType: L4, gpuCount: 2, state: 'running', at: DAY + 1000 })
  await own.store.ledger.transition({ workerId: 'w', endpointId: id, gpuType: L4, gpuCount: 2, state: 'unhealthy', at: DAY + 3_600_000 })
  await own.store.ledger.close('w', DAY + 3_700_000)
  const [, , last] = await own.store.ledger.rows({ from: 0, to: Infinity })
  expect(last).toMatchObject({ hostId: 'h', cards: ['GPU-1', 'GPU-2'], keyId: key?.id, reason: 'first_job' })
  const { json } = await own.call('/runyard/v1/usage?from=0&by=key,host,day')
  const sums = { seconds: 3700, billableSeconds: 3600, gpuSeconds: 7200, cost: 7.2 }
  expect(json).toMatchObject({
    by: ['key', 'host', 'day'],
    currency: 'EUR',
    usage: [{ keyId: key?.id, keyName: 'test', hostId: 'h', host: null, day: '2026-01-01', ...sums }],
    total: sums,
  })
  const table = await own.call('/runyard/v1/usage?from=0&by=endpoint,state&format=csv')
  expect(table.headers.get('content-type')).toContain('text/csv')
  expect(table.text.split('\r\n').slice(0, 2)).toEqual([
    'endpointId,endpointName,state,seconds,billableSeconds,gpuSeconds,cost,currency',
    `${id},"'=1+1,""x""",initializing,1,1,2,0.002,EUR`,
  ])
  expect((await own.call('/runyard/v1/prices')).json).toEqual(PRICES)
  expect((await own.call('/metrics')).text).toContain(`runyard_gpu_price_per_hour{gpu="${L4}",currency="EUR"} 3.6`)
  expect((await own.call('/runyard/v1/usage?by=card')).text).toContain(
    '\\"by\\" must be one of endpoint, key, host, gpu, state, day, or several with commas.',
  )
})

it('prices follow the configuration file, and a bad edit leaves them as they were', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-prices-'))
  const file = join(dir, 'runyard.yaml')
  await writeFile(file, 'prices: { currency: EUR }\n')
  const problems: unknown[] = []
  const log = { info: () => undefined, error: (facts: object) => void problems.push(facts) }
  using prices = await followPrices(Config.parse({}).prices, {
    load: () => loadConfig({ env: {}, cwd: dir }),
    log,
    everyMs: 20,
    settleMs: 20,
  })
  await writeFile(file, `prices: { currency: EUR, gpuPerHour: { ${L4}: 2 } }\n`)
  await vi.waitUntil(() => prices.current().gpuPerHour[L4] === 2)
  await writeFile(file, 'prices: { currency: Euro }\n')
  await vi.waitUntil(() => problems.length > 0)
  expect(problems).toEqual([{ problem: expect.stringContaining('"prices.currency" is wrong') }])
  expect(prices.current().currency).toBe('EUR')
  await rm(dir, { recursive: true })
})

it('says how many billed seconds had no job, and that it does not know beyond the history', async () => {
  const own = await startGateway({})
  const { id } = await own.addEndpoint()
  const start = Math.floor(Date.now() / 1000) * 1000 - 3_600_000
  const row = { endpointId: id, gpuType: L4, gpuCount: 1, workerId: 'w' } as const
  await own.store.ledger.transition({ ...row, state: 'initializing', at: start })
  await own.store.ledger.transition({ ...row, state: 'running', at: start + 10_000 })
  await own.store.ledger.close('w', start + 100_000)
  const job = (from: number, to: number) => ({
    id: `j${from}`,
    endpointId: id,
    status: 'COMPLETED' as const,
    cause: 'result' as const,
    submittedAt: start,
    startedAt: start + from,
    endedAt: start + to,
    retries: 0,
    workerId: 'w',
  })
  // The first two overlap; the last one is of another worker.
  await own.store.history.addJobs([job(20_000, 40_000), job(30_000, 50_000), { ...job(60_000, 90_000), workerId: 'other' }], {})
  const from = new Date(start).toISOString()
  const { json } = await own.call(`/runyard/v1/usage?by=endpoint&idle=true&from=${from}`)
  expect(json).toMatchObject({ usage: [{ billableSeconds: 100, idleSeconds: 70 }], total: { billableSeconds: 100, idleSeconds: 70 } })
  const byDay = await own.call(`/runyard/v1/usage?by=day,state&idle=true&from=${from}`)
  expect(byDay.json).toMatchObject({ total: { idleSeconds: 70 } })
  const unasked = await own.call(`/runyard/v1/usage?from=${from}`)
  expect(unasked.json).not.toHaveProperty('total.idleSeconds')
  const old = await own.call('/runyard/v1/usage?from=0&idle=true')
  expect(old.json).toMatchObject({ total: { billableSeconds: 100, idleSeconds: null } })
  const table = await own.call(`/runyard/v1/usage?by=endpoint&idle=true&format=csv&from=${from}`)
  expect(table.text.split('\r\n')[0]).toBe('endpointId,endpointName,seconds,billableSeconds,gpuSeconds,cost,idleSeconds,currency')
})
