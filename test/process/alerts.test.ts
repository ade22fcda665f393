// A real Prometheus scrapes a real stack while its parts break: alerts fire and clear, and each query of each panel of the boards returns a series
// (ADR 74). The rules run faster than in the files, at the pace that their metrics allow. A stand-in for nvidia-smi gives the machine two cards.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { alertGroups, BOARDS, createPace, queriesOf, recordingGroups, toRuleFile } from '@runyard/monitoring'
import { startReceiver } from '@runyard/testing'
import { standInSmi, type StandInSmi } from '@runyard/testing/nvidia-smi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../harness/child.ts'
import { startPrometheus, type Prometheus } from '../harness/prometheus.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, NAP, sourceCall } from '../suites/calls.ts'

const RECORDED = await readFile(new URL('../../packages/nvidia-smi-parser/fixtures/two-geforce-550.xml', import.meta.url), 'utf8')
/** Without processes of the machine on which it was recorded. */
const HEALTHY = RECORDED.replaceAll(/<processes>[\s\S]*?<\/processes>/g, '<processes></processes>')
/** The first card is hot, and both compute nothing. */
const HOT_AND_IDLE = HEALTHY.replace('<gpu_temp>61 C', '<gpu_temp>91 C').replaceAll('<gpu_util>7 %', '<gpu_util>0 %')
const BROKEN = HEALTHY.replace(/<\/gpu>/, '<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status></gpu>')

/** The scaler reports every ten seconds, and starts that fail are tried again after 10 s and 30 s. Everything else may be sixty times as fast. */
const PACES: Readonly<Record<string, number>> = { RunyardScalerSilent: 1 / 3, RunyardWorkersCrashLoop: 1 / 10 }
const FAST = 1 / 60

function fastAlerts(): string {
  const rulesAt = (factor: number) => alertGroups(createPace(factor)).flatMap(({ rules }) => rules)
  const rules = rulesAt(FAST).map((rule) => {
    const name = 'alert' in rule ? rule.alert : ''
    return rulesAt(PACES[name] ?? FAST).find((other) => 'alert' in other && other.alert === name) ?? rule
  })
  return toRuleFile([{ name: 'fast', rules }])
}

const PATIENCE = { timeoutMs: 120_000, intervalMs: 250 }

await suiteThatNeeds(['redis', 'promtool'], 'a Prometheus that scrapes a stack', () => {
  let smi: StandInSmi
  let stack: Stack
  let prometheus: Prometheus
  let cards: string

  beforeAll(async () => {
    smi = await standInSmi(HEALTHY)
    const tls = {
      RUNYARD_TLS_PORT: '0',
      RUNYARD_TLS_CERT: join(smi.directory, 'cert.pem'),
      RUNYARD_TLS_KEY: join(smi.directory, 'key.pem'),
    }
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', tls.RUNYARD_TLS_KEY, '-out', tls.RUNYARD_TLS_CERT]
    await runCommand('openssl', ['req', '-x509', ...curve, '-days', '5', '-subj', '/CN=yard', ...files])
    const settings = {
      PATH: `${smi.directory}:${process.env['PATH'] ?? ''}`,
      RUNYARD_LEASE_BUDGET: '0',
      RUNYARD_WEBHOOKS_ALLOW_PRIVATE: 'true',
      RUNYARD_WEBHOOKS_OUTBOX_EVENTS: '2',
      RUNYARD_WEBHOOKS_RETRY_DELAYS_S: '2',
    }
    stack = await startStack({ host: 'process', settings: { ...settings, ...tls } })
    prometheus = await startPrometheus({
      targets: [new URL(stack.url).host],
      scrapeEvery: '1s',
      rules: [toRuleFile(recordingGroups(createPace(1 / 10))), fastAlerts()],
    })
    cards = await stack.api.saveEndpoint({ name: 'cards', gpuIds: 'ADA_24', workersMax: 2, idleTimeout: 600 })
    await stack.api.runsync(cards, sourceCall('echo', ECHO))
  })
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await stack?.stop()
    await smi?.[Symbol.asyncDispose]()
  })

  const firing = async (alert: string) =>
    (await prometheus.alerts()).filter(({ labels, state }) => labels['alertname'] === alert && state === 'firing')
  const fires = (alert: string) => waitFor(`${alert} to fire`, async () => (await firing(alert))[0], PATIENCE)
  const clears = (alert: string) => waitFor(`${alert} to clear`, async () => (await firing(alert)).length === 0, PATIENCE)

  test('no page is raised while all is well', async () => {
    await waitFor(
      'a scrape of the scaler’s report',
      async () => (await prometheus.query('runyard_gpu_temperature_celsius')).length === 2,
      PATIENCE,
    )
    expect((await prometheus.alerts()).filter(({ labels, state }) => labels['severity'] === 'page' && state === 'firing')).toEqual([])
  })

  test('a certificate that expires within two weeks is named', async () => {
    const { annotations } = await fires('RunyardCertificateExpires')
    expect(annotations['summary']).toMatch(/ expires in 4d /u)
  })

  test('jobs that wait too long are named with the reason, and the alert clears when none waits', async () => {
    const picky = await stack.api.saveEndpoint({ name: 'picky', gpuIds: 'HOPPER_141' })
    const id = await stack.api.run(picky, sourceCall('echo', ECHO))
    const { labels, annotations } = await fires('RunyardJobsWaitTooLong')
    expect(labels).toMatchObject({ endpoint: 'picky', reason: 'no_matching_gpu', severity: 'ticket' })
    expect(annotations['summary']).toMatch(/^A job of picky has waited for .* \(no_matching_gpu\)\.$/)
    expect(await fires('RunyardNoCapacity')).toMatchObject({ labels: { endpoint: 'picky', reason: 'no_matching_gpu' } })
    // Another worker starts.
    await Promise.all([1, 2, 3].map(async () => stack.api.runsync(cards, sourceCall('nap', NAP, { seconds: 3 }))))
    await allPanelsHaveSeries()
    await stack.api.post(`/v2/${picky}/cancel/${id}`, {})
    expect(await clears('RunyardJobsWaitTooLong')).toBe(true)
    expect(await clears('RunyardNoCapacity')).toBe(true)
  })

  /** While an endpoint is blocked: some panels are about that. */
  async function allPanelsHaveSeries(): Promise<void> {
    const values = { endpoint: 'cards', __rate_interval: '30s', __range: '5m', datasource: 'any' }
    const queries = Object.entries(BOARDS).flatMap(([name, board]) =>
      queriesOf(board, values).map(([title, expr]) => ({ panel: `${name}: ${title}`, expr })),
    )
    const empty = async () => {
      await stack.api.runsync(cards, sourceCall('echo', ECHO))
      const found = await Promise.all(queries.map(async ({ expr }) => prometheus.query(expr)))
      return queries.filter((_, at) => found[at]?.length === 0)
    }
    let left: Awaited<ReturnType<typeof empty>> = []
    await waitFor('each query to return a series', async () => (left = await empty()).length === 0, PATIENCE).catch((error: unknown) => {
      throw new Error(`no series:\n${left.map(({ panel, expr }) => `${panel}: ${expr}`).join('\n')}`, { cause: error })
    })
    expect(queries.length).toBeGreaterThan(60)
  }

  test('workers that fail to start are a crash loop, until their endpoint is gone', async () => {
    const broken = await stack.api.saveEndpoint({ name: 'broken', cpu: 'cpu3c-1-2', env: { RUNPOD_INIT_TIMEOUT: '0.001' } })
    // The first failure is an increase only if the zero before it was scraped.
    const failures = () => prometheus.query('runyard_worker_start_failures_total{endpoint="broken"}')
    await waitFor('the count of failures', async () => (await failures()).length === 1, PATIENCE)
    await stack.api.run(broken, sourceCall('echo', ECHO))
    expect(await fires('RunyardWorkersCrashLoop')).toMatchObject({ labels: { endpoint: 'broken' } })
    await stack.api.deleteEndpoint(broken)
    expect(await clears('RunyardWorkersCrashLoop')).toBe(true)
  })

  test('a lost worker and its job, and webhooks that no receiver accepts, have their alerts', async () => {
    const ill = await stack.api.saveEndpoint({ name: 'ill', cpu: 'cpu3c-1-2', idleTimeout: 600 })
    await stack.api.runsync(ill, sourceCall('echo', ECHO))
    const counts = () => prometheus.query('runyard_workers_lost_total{endpoint="ill"}')
    await waitFor('the counts to begin at zero', async () => (await counts()).length === 1, PATIENCE)
    const id = await stack.api.run(ill, sourceCall('nap', NAP, { seconds: 600 }))
    const workerId = await waitFor('the job to run', async () => (await stack.api.status(ill, id)).workerId)
    process.kill(await findWorkerPid('process', workerId), 'SIGKILL')
    // Each for some seconds only, and not at the same time.
    const lost = await Promise.all(['RunyardWorkersLost', 'RunyardJobsLost'].map(fires))
    expect(lost.map(({ labels }) => labels['endpoint'])).toEqual(['ill', 'ill'])
    await using receiver = await startReceiver()
    receiver.answer = (response) => void response.writeHead(500).end()
    for (let job = 0; job < 5; job += 1)
      await stack.api.post(`/v2/${ill}/runsync`, { input: sourceCall('echo', ECHO), webhook: receiver.url })
    await Promise.all(['RunyardWebhooksDropped', 'RunyardWebhooksLate'].map(fires))
    receiver.answer = (response) => void response.writeHead(200).end()
    for (const alert of ['RunyardWorkersLost', 'RunyardJobsLost', 'RunyardWebhooksDropped', 'RunyardWebhooksLate'])
      expect([alert, await clears(alert)]).toEqual([alert, true])
  })

  test('a hot card, idle cards that are held, a Redis that is nearly full and may evict: each has its ticket until it is over', async () => {
    await smi.report(HOT_AND_IDLE)
    const [used] = await prometheus.query('runyard_store_used_bytes')
    await stack.redis.configure('maxmemory', `${Math.round(Number(used?.value[1]) * 1.12)}`)
    await stack.redis.configure('maxmemory-policy', 'volatile-ttl')
    const [hot, durable] = await Promise.all(['RunyardGpuHot', 'RunyardStoreNotDurable', 'RunyardStoreNearlyFull'].map(fires))
    expect([hot?.labels['gpu'], durable?.labels['kind']]).toEqual(['0', 'may_evict'])
    await stack.redis.configure('maxmemory-policy', 'noeviction')
    await stack.redis.configure('maxmemory', '0')
    await fires('RunyardGpuIdleButHeld')
    await smi.report(HEALTHY)
    for (const alert of ['RunyardGpuHot', 'RunyardStoreNotDurable', 'RunyardStoreNearlyFull', 'RunyardGpuIdleButHeld'])
      expect([alert, await clears(alert)]).toEqual([alert, true])
  })

  test('a card with a fault is out of use', async () => {
    await smi.report(BROKEN)
    expect(await fires('RunyardGpuQuarantined')).toMatchObject({ labels: { cause: 'reset' } })
    await smi.report(HEALTHY)
  })

  test('a scaler that is killed is silent, until one starts again', async () => {
    await stack.scaler.kill()
    expect(await fires('RunyardScalerSilent')).toMatchObject({ labels: { severity: 'page' } })
    await stack.scaler.start()
    expect(await clears('RunyardScalerSilent')).toBe(true)
  })

  test('a Redis that is killed is away, and the gateway stays up', async () => {
    await stack.redis.kill('written')
    expect(await fires('RunyardStoreAway')).toMatchObject({ labels: { severity: 'page' } })
    expect(await prometheus.query('up')).toMatchObject([{ value: [expect.any(Number), '1'] }])
    await stack.redis.restart()
    expect(await clears('RunyardStoreAway')).toBe(true)
  })

  test('a gateway that is killed is down, until it starts again', async () => {
    await stack.gateway.kill()
    expect(await fires('RunyardDown')).toMatchObject({ labels: { severity: 'page' } })
    await stack.gateway.start()
    expect(await clears('RunyardDown')).toBe(true)
  })
})
