// Each alert, in Prometheus' own tests of rules: it does not fire before its fault, fires after, and clears when the fault is over.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertGroups, createPace, recordingGroups } from '@runyard/monitoring'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { checkRules, testRules } from '../harness/promtool.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

/** Values that each hold for a number of minutes. */
type Values = readonly (readonly [value: number | '_', minutes: number])[]

interface Case {
  readonly series: Readonly<Record<string, Values>>
  /** In minutes. */
  readonly quiet: number
  readonly fires: number
  readonly clears: number
}

const E = 'endpoint="a",endpoint_id="ep-a"'
const CARD = 'host="h",gpu="0",uuid="GPU-1"'
const HELD = `runyard_gpu_assigned{${CARD},${E},worker="w"}`
/** 0 → 1 → 0. */
const fault = (length: number): Values => [
  [0, 10],
  [1, length],
  [0, 60],
]
const once = (metric: string, count = 1): Readonly<Record<string, Values>> => ({
  [metric]: [
    [0, 10],
    [count, 120],
  ],
})
const simple = (metric: string, length = 20): Case => ({
  series: { [metric]: fault(length) },
  quiet: 8,
  fires: 10 + length - 2,
  clears: 10 + length + 8,
})
/** 100 jobs a minute that complete, and 20 a minute that fail between minutes 60 and 130. */
const counts = (step: (minute: number) => number, minutes: number): Values => {
  let total = 0
  return Array.from({ length: minutes }, (_, minute) => [(total += step(minute)), 1] as const)
}

const CASES: Readonly<Record<string, Case>> = {
  RunyardDown: {
    series: {
      'up{job="runyard",instance="g"}': [
        [1, 10],
        [0, 10],
        [1, 20],
      ],
    },
    quiet: 8,
    fires: 18,
    clears: 25,
  },
  RunyardStoreAway: {
    series: {
      'runyard_store_up{instance="g"}': [
        [1, 10],
        [0, 10],
        [1, 20],
      ],
    },
    quiet: 8,
    fires: 18,
    clears: 25,
  },
  RunyardScalerSilent: {
    series: {
      'runyard_store_up{instance="g"}': [[1, 60]],
      // The first ten minutes of ticks, then none for ten, then ticks again.
      runyard_scaler_last_tick_timestamp_seconds: Array.from({ length: 40 }, (_, minute) => [
        60 * (minute >= 10 && minute < 20 ? 9 : minute),
        1,
      ]),
    },
    quiet: 8,
    fires: 15,
    clears: 25,
  },
  RunyardJobsLost: {
    series: once(`runyard_job_end_causes_total{${E},cause="worker_lost",status="FAILED"}`),
    quiet: 8,
    fires: 15,
    clears: 25,
  },
  RunyardStoreNotDurable: simple('runyard_store_problem{kind="not_durable"}'),
  RunyardStoreNearlyFull: {
    series: {
      runyard_store_max_bytes: [[100, 90]],
      runyard_store_used_bytes: [
        [80, 10],
        [90, 10],
        [70, 40],
      ],
    },
    quiet: 8,
    fires: 18,
    clears: 25,
  },
  RunyardStoreSlow: {
    series: {
      'runyard_store_script_seconds_bucket{instance="g",le="0.1"}': counts((minute) => (minute >= 10 && minute < 30 ? 0 : 100), 60),
      'runyard_store_script_seconds_bucket{instance="g",le="1"}': counts(() => 100, 60),
      'runyard_store_script_seconds_bucket{instance="g",le="+Inf"}': counts(() => 100, 60),
    },
    quiet: 8,
    fires: 28,
    clears: 45,
  },
  RunyardBlobErrors: { series: once('runyard_blob_errors_total{operation="write"}'), quiet: 8, fires: 15, clears: 30 },
  RunyardHostUnreachable: {
    series: {
      'runyard_host_up{host="h",kind="docker"}': [
        [1, 10],
        [0, 10],
        [1, 20],
      ],
    },
    quiet: 13,
    fires: 18,
    clears: 25,
  },
  RunyardDiskLow: simple('runyard_host_disk_low{host="h"}'),
  RunyardCertificateExpires: {
    series: {
      'runyard_certificate_expires_timestamp_seconds{job="runyard",instance="g"}': [
        [9_000_000, 10],
        [1_000_000, 10],
        [9_000_000, 20],
      ],
    },
    quiet: 13,
    fires: 18,
    clears: 25,
  },
  RunyardGatewayBlocked: {
    series: {
      'nodejs_eventloop_lag_p99_seconds{job="runyard",instance="g"}': [
        [0.01, 10],
        [0.7, 10],
        [0.01, 20],
      ],
    },
    quiet: 13,
    fires: 18,
    clears: 25,
  },
  RunyardWebhooksLate: {
    series: {
      runyard_webhook_outbox_oldest_seconds: [
        [500, 10],
        [700, 10],
        [0, 20],
      ],
    },
    quiet: 8,
    fires: 18,
    clears: 25,
  },
  RunyardWebhooksDropped: { series: once(`runyard_webhooks_dropped_total{${E}}`), quiet: 8, fires: 15, clears: 30 },
  RunyardGpuQuarantined: simple(`runyard_gpu_out_of_use{${CARD},cause="reset"}`),
  RunyardGpuMemoryNotReturned: simple(`runyard_gpu_out_of_use{${CARD},cause="not_released"}`),
  RunyardGpuMemoryErrors: { series: once(`runyard_gpu_ecc_uncorrected_total{${CARD}}`), quiet: 8, fires: 15, clears: 80 },
  RunyardGpuHot: {
    series: {
      [`runyard_gpu_temperature_celsius{${CARD}}`]: [
        [70, 10],
        [90, 20],
        [70, 20],
      ],
    },
    quiet: 18,
    fires: 28,
    clears: 35,
  },
  RunyardGpuIdleButHeld: {
    series: {
      [`runyard_gpu_utilization_ratio{${CARD}}`]: [
        [0.5, 30],
        [0, 100],
        [0.9, 60],
      ],
      [HELD]: [[1, 190]],
    },
    quiet: 80,
    fires: 125,
    clears: 140,
  },
  RunyardJobsWaitTooLong: {
    series: {
      [`runyard_queue_oldest_seconds{${E}}`]: [
        [100, 10],
        [400, 10],
        [0, 20],
      ],
    },
    quiet: 8,
    fires: 18,
    clears: 25,
  },
  RunyardNoCapacity: {
    series: {
      [`runyard_queue_blocked{${E},reason="gpus_busy"}`]: [
        ['_', 10],
        [1, 20],
        ['_', 40],
      ],
    },
    quiet: 20,
    fires: 28,
    clears: 45,
  },
  RunyardWorkersCrashLoop: { series: once(`runyard_worker_start_failures_total{${E}}`, 4), quiet: 8, fires: 15, clears: 25 },
  RunyardWorkersLost: { series: once(`runyard_workers_lost_total{${E}}`), quiet: 8, fires: 15, clears: 30 },
  RunyardErrorBudgetBurn: {
    series: {
      [`runyard_jobs_ended_total{${E},status="COMPLETED"}`]: counts(() => 80, 600),
      [`runyard_jobs_ended_total{${E},status="FAILED"}`]: counts((minute) => (minute >= 120 && minute < 240 ? 40 : 0), 600),
    },
    quiet: 110,
    fires: 230,
    clears: 590,
  },
  RunyardColdStartsSlow: {
    series: {
      [`runyard_worker_start_seconds_sum{${E},phase="total"}`]: counts((minute) => (minute >= 600 && minute < 720 ? 40 : 6), 900),
      [`runyard_worker_start_seconds_count{${E},phase="total"}`]: counts(() => 1, 900),
    },
    quiet: 590,
    fires: 700,
    clears: 890,
  },
}

/** Faults that look alike and must not raise the alert. */
const QUIET: readonly (readonly [alert: string, why: string, series: Case['series']])[] = [
  ['RunyardScalerSilent', 'while Redis is away', { 'runyard_store_up{instance="g"}': [[0, 30]] }],
  ['RunyardGpuIdleButHeld', 'of a free card', { [`runyard_gpu_utilization_ratio{${CARD}}`]: [[0, 190]] }],
  [
    'RunyardErrorBudgetBurn',
    'after one failed job of two',
    { ...once(`runyard_jobs_ended_total{${E},status="FAILED"}`), ...once(`runyard_jobs_ended_total{${E},status="COMPLETED"}`) },
  ],
  ['RunyardErrorBudgetBurn', 'of cancelled jobs', { [`runyard_jobs_ended_total{${E},status="CANCELLED"}`]: counts(() => 50, 190) }],
  ['RunyardNoCapacity', 'between tries after failed starts', { [`runyard_queue_blocked{${E},reason="backing_off"}`]: [[1, 190]] }],
  ['RunyardGpuQuarantined', 'whose memory is not returned', { [`runyard_gpu_out_of_use{${CARD},cause="not_released"}`]: [[1, 190]] }],
]

const valuesOf = (values: Values): string =>
  values.map(([value, minutes]) => (value === '_' ? `_x${minutes}` : `${value}+0x${minutes - 1}`)).join(' ')

const checksAt = (alert: string, minute: number, count: number) => ({
  expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
  eval_time: `${minute}m`,
  exp_samples: count === 0 ? [] : [{ labels: '{}', value: count }],
})

await suiteThatNeeds(['promtool'], 'the rules of Prometheus', () => {
  const alerts = alertGroups(createPace()).flatMap(({ rules }) => rules.flatMap((rule) => ('alert' in rule ? [rule.alert] : [])))
  const files = ['recordings', 'alerts'].map((name) =>
    join(import.meta.dirname, '..', '..', 'docker', 'prometheus', `runyard-${name}.yaml`),
  )

  async function run(series: Case['series'], checks: readonly object[]): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'runyard-rules-'))
    const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values: valuesOf(values) }))
    const tests = [{ interval: '1m', input_series, promql_expr_test: checks }]
    const file = join(dir, 'test.yaml')
    await writeFile(file, stringify({ rule_files: files, evaluation_interval: '1m', tests }))
    const failures = await testRules(file)
    await rm(dir, { recursive: true })
    return failures
  }

  test('promtool reports no problem', async () => {
    expect(await checkRules(files)).toBe('')
  })

  test('each alert has an entry in the runbooks that begins with a command, and no entry is of another alert', async () => {
    const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'runbooks.md'), 'utf8')
    const entries = text.split(/^## /m).slice(1)
    expect(entries.map((entry) => entry.slice(0, entry.indexOf('\n'))).toSorted()).toEqual(alerts.toSorted())
    for (const entry of entries) expect(entry).toMatch(/^Runyard\w+\n\n`[^`]+`\n\n(Page|Ticket)\. /)
  })

  test('each alert has a case', () => {
    expect(Object.keys(CASES).toSorted()).toEqual(alerts.toSorted())
  })

  test.each(Object.entries(CASES))(
    '%s is quiet before its fault, fires during it, and clears after it',
    async (alert, { series, quiet, fires, clears }) => {
      expect(await run(series, [checksAt(alert, quiet, 0), checksAt(alert, fires, 1), checksAt(alert, clears, 0)])).toBe('')
    },
  )

  test.each(QUIET)('%s does not fire %s', async (alert, _why, series) => {
    expect(await run(series, [checksAt(alert, 29, 0), checksAt(alert, 180, 0)])).toBe('')
  })

  test('the same rules at another pace are valid', () => {
    const fast = createPace(1 / 60)
    expect([fast.span(300), fast.span(86_400), createPace().span(604_800), createPace().span(90)]).toEqual(['5s', '24m', '7d', '90s'])
    expect(recordingGroups(fast).flatMap(({ rules }) => rules)).toHaveLength(
      recordingGroups(createPace()).flatMap(({ rules }) => rules).length,
    )
  })
})
