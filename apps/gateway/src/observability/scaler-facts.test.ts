import { expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
useGateway({}, (site) => {
  ;({ gateway, ep } = site)
})

const lines = async (): Promise<readonly string[]> => (await gateway.call('/metrics?scope=pool')).text.split('\n')
const counter = (id: string) => ({ values: [id, 'first_job'], reading: { value: 3 } })
const report = (at: number) => ({
  at,
  metrics: {
    runyard_worker_starts_total: [counter(ep), counter('deleted')],
    runyard_host_listing_seconds: [{ values: ['box'], reading: { value: 0.5 } }],
    runyard_scaler_last_tick_timestamp_seconds: [{ values: [], reading: { value: at / 1000 } }],
    runyard_of_a_later_version: [{ values: ['x'], reading: { value: 1 } }],
  },
})

it('serves the report of the scaler with the names of endpoints, without deleted ones and unknown metrics', async () => {
  await gateway.store.scalerReport.put(report(Date.now()))
  const text = await lines()
  expect(text.filter((line) => line.startsWith('runyard_worker_starts_total'))).toEqual([
    `runyard_worker_starts_total{endpoint="${ep}",endpoint_id="${ep}",reason="first_job"} 3`,
  ])
  expect(text).toContain('runyard_host_listing_seconds{host="box"} 0.5')
  expect(text.filter((line) => line.includes('later_version'))).toEqual([])
})

it('serves of an old report only counts and the time of the last tick', async () => {
  await gateway.store.scalerReport.put(report(1000))
  const text = await lines()
  expect(text).toContain('runyard_scaler_last_tick_timestamp_seconds 1')
  expect(text.filter((line) => /^runyard_(worker_starts_total|host_listing_seconds)\{/.test(line))).toHaveLength(1)
})
