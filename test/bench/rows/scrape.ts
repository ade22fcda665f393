// A scrape of `/metrics` in a large pool: how many series, and the processor time of the gateway. It has its own Redis and simulated hosts; the gateway runs
// in this process. Every endpoint has ended jobs of each kind, starts and bills, as after some weeks.
import { buildPublicApp, openGateway } from '@runyard/gateway'
import { END_CAUSES, START_PHASES } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { Config } from '@runyard/schema'
import { median } from '../load.ts'
import type { RowGroup } from '../row-group.ts'
import { openWorld, type World } from '../scale-world.ts'

const SIZE = { hosts: 8, cardsPerHost: 8, endpoints: 200, workers: 400 }
const SCRAPES = 10
/** Most ends are of these kinds. */
const CAUSES = END_CAUSES.slice(0, 4)

export const scrape: RowGroup = {
  name: 'scrape',
  title: 'a scrape with 200 endpoints and 64 cards',
  measure: async () => {
    await using world = await openWorld(SIZE)
    await fill(world)
    const config = Config.parse({ metrics: { open: 'always' } })
    await using gateway = openGateway({ store: world.store, config, log: createLogger({ name: 'bench', level: 'silent' }) })
    const { metrics } = gateway.deps
    const app = await buildPublicApp(gateway.deps)
    for (const id of world.endpointIds) {
      metrics.jobAccepted(id)
      for (const cause of CAUSES) {
        metrics.jobsEnded({ endpointId: id, cause, status: 'FAILED', jobs: 1, durations: { delayMs: 5, executionMs: 50 } })
      }
      for (const phase of START_PHASES) metrics.workerStarted(id, phase, 500)
    }
    const get = async (): Promise<string> => (await app.inject({ method: 'GET', url: '/metrics' })).body
    const series = (await get()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    const costs: number[] = []
    for (let n = 0; n < SCRAPES; n += 1) {
      const before = process.cpuUsage()
      await get()
      const { user, system } = process.cpuUsage(before)
      costs.push((user + system) / 1000)
    }
    await app.close()
    return [
      { path: 'series of a scrape, 200 endpoints and 64 cards', ours: series, unit: 'count', budget: { of: 'ours', most: 15_000 } },
      { path: 'processor time of that scrape', ours: median(costs), unit: 'ms', budget: { of: 'ours', most: 150 } },
    ]
  },
}

/** What the scaler and the ledger know after a while. */
async function fill({ store, scaler, endpointIds }: World): Promise<void> {
  await scaler.loop.tick()
  for (const [n, endpointId] of endpointIds.entries()) {
    for (const state of ['initializing', 'running', 'outdated'] as const) {
      await store.ledger.transition({ workerId: `old-${n}`, endpointId, gpuType: 'NVIDIA GeForce RTX 4090', gpuCount: 1, state, at: 1000 })
    }
    await store.ledger.close(`old-${n}`, 60_000)
  }
  const report = await store.scalerReport.get()
  if (report === undefined) throw new Error('the scaler has written no report')
  const perEndpoint = (reasons: readonly string[]) =>
    endpointIds.flatMap((id) => reasons.map((reason) => ({ values: [id, reason], reading: { value: 1 } })))
  await store.scalerReport.put({
    ...report,
    metrics: {
      ...report.metrics,
      runyard_worker_starts_total: perEndpoint(['first_job', 'jobs_waiting']),
      runyard_worker_ends_total: perEndpoint(['idle_timeout', 'outdated', 'exited']),
    },
  })
}
