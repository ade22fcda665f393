import type { HostView } from '@runyard/core'
import { expect, test, vi } from 'vitest'
import { createNumbers } from './numbers.ts'
import { endpointOf, openScalerFixture } from './testing/scaler-fixture.ts'

const NOW = 1_000_000

const gpu = (uuid: string) => ({ uuid, name: 'NVIDIA L4', memoryBytes: 24e9, simulated: false, healthy: true })
const HOST: HostView = {
  hostId: 'h1',
  isIdentified: true,
  label: 'box',
  kind: 'docker',
  unready: undefined,
  workers: [],
  observedAt: NOW,
  listingMs: 40,
  cardsOfOthers: [],
  disk: { path: '/', freeBytes: 5, totalBytes: 9 },
  inventory: {
    hostId: 'h1',
    kind: 'docker',
    capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
    cpuCount: 4,
    memoryBytes: 8e9,
    gpus: [gpu('GPU-a'), gpu('GPU-b')],
    cudaVersion: null,
  },
  uses: {
    'GPU-b': {
      usedBytes: 7,
      isMemoryProof: true,
      processes: [],
      load: { utilization: 0.5, temperatureC: 60, powerW: null, powerLimitW: 72 },
      lastXid: 79,
    },
  },
}

function openReports() {
  const put = vi.fn(async () => undefined)
  using numbers = createNumbers('1.2.3')
  const report = (now: number, endpointIds: readonly string[]) =>
    numbers.report({
      store: { scalerReport: { put, get: async () => undefined } },
      observed: { hosts: [HOST], endpoints: endpointIds.map((endpointId) => ({ endpointId })) },
      inFlight: 3,
      now,
    })
  const last = (): unknown => put.mock.calls.at(-1)?.at(0)
  return { numbers, put, report, last }
}

test('a report has the ticks, decisions, failures and workers so far, and what hosts and cards do now', async () => {
  const { numbers, report, last } = openReports()
  numbers.ticked(20, NOW)
  const onWorker = { endpointId: 'ep', workerId: 'w', hostId: 'h1' }
  numbers.decided([
    { kind: 'drain', ...onWorker, reason: 'idle_timeout' },
    { kind: 'reap', ...onWorker },
  ])
  numbers.actionFailed('stop')
  numbers.workerStarted('ep', 'first_job')
  numbers.imagePulled('box', 30e6)
  numbers.workerGone('ep', { reason: 'start_failed', isStartFailure: true })
  await report(NOW, ['ep'])
  const value = (...values: readonly string[]) => ({ values, reading: { value: 1 } })
  expect(last()).toMatchObject({
    at: NOW,
    metrics: {
      runyard_scaler_last_tick_timestamp_seconds: [{ values: [], reading: { value: NOW / 1000 } }],
      runyard_scaler_tick_seconds: [{ reading: { sum: 0.02, count: 1 } }],
      runyard_scaler_decisions_total: [value('drain', 'idle_timeout'), value('reap', '')],
      runyard_scaler_action_failures_total: [value('stop')],
      runyard_scaler_actions_in_flight: [{ reading: { value: 3 } }],
      runyard_worker_starts_total: [value('ep', 'first_job')],
      runyard_worker_ends_total: [value('ep', 'start_failed')],
      runyard_worker_start_failures_total: [value('ep')],
      runyard_workers_lost_total: [{ values: ['ep'], reading: { value: 0 } }],
      runyard_host_listing_seconds: [{ values: ['box'], reading: { value: 0.04 } }],
      runyard_image_pull_bytes_total: [{ values: ['box'], reading: { value: 30e6 } }],
      runyard_gpu_xid_last: [{ values: ['box', '1', 'GPU-b'], reading: { value: 79 } }],
      runyard_host_disk_free_bytes: [{ values: ['box'], reading: { value: 5 } }],
      runyard_gpu_utilization_ratio: [{ values: ['box', '1', 'GPU-b'], reading: { value: 0.5 } }],
      runyard_gpu_power_limit_watts: [{ values: ['box', '1', 'GPU-b'], reading: { value: 72 } }],
      runyard_build_info: [{ values: ['scaler', '1.2.3', process.versions.node] }],
    },
  })
  expect(last()).not.toHaveProperty('metrics.runyard_gpu_power_watts')
})

test('it is written every ten seconds, without endpoints that are gone', async () => {
  const { numbers, put, report, last } = openReports()
  numbers.workerStarted('ep', 'first_job')
  numbers.workerStarted('other', 'first_job')
  await report(NOW, ['ep', 'other'])
  await report(NOW + 9999, ['ep'])
  expect(put).toHaveBeenCalledTimes(1)
  await report(NOW + 10_000, ['ep'])
  expect(last()).toHaveProperty('metrics.runyard_worker_starts_total', [{ values: ['ep', 'first_job'], reading: { value: 1 } }])
})

test('the leader writes one with its first tick', async () => {
  await using fixture = await openScalerFixture()
  await fixture.store.endpoints.upsert({ id: 'ep-one' }, () => endpointOf('ep-one'))
  const scaler = await fixture.open()
  await scaler.loop.tick()
  expect(await fixture.store.scalerReport.get()).toMatchObject({ metrics: { runyard_host_listing_seconds: [{ values: ['local'] }] } })
})
