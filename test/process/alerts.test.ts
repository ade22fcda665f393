// A real Prometheus scrapes a real stack while its parts break: alerts fire and clear, and each query of each panel of the boards returns a series
// (ADR 74). A stand-in for nvidia-smi gives the machine two cards. Hosts that go away and disks that fill up are in test/docker.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BOARDS, queriesOf } from '@runyard/monitoring'
import { startReceiver } from '@runyard/testing'
import { standInSmi, type StandInSmi } from '@runyard/testing/nvidia-smi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../harness/child.ts'
import { ALERT_PATIENCE as PATIENCE, startFastAlerts, type FastAlerts } from '../harness/fast-alerts.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, NAP, sourceCall } from '../suites/calls.ts'

const RECORDED = await readFile(new URL('../../packages/nvidia-smi-parser/fixtures/two-geforce-550.xml', import.meta.url), 'utf8')
/** Without processes of the machine on which it was recorded; its cards count their memory errors. */
const HEALTHY = RECORDED.replaceAll(/<processes>[\s\S]*?<\/processes>/g, '<processes></processes>').replaceAll(
  '<dram_uncorrectable>N/A',
  '<dram_uncorrectable>0',
)
/** The first card is hot, and both compute nothing. */
const HOT_AND_IDLE = HEALTHY.replace('<gpu_temp>61 C', '<gpu_temp>91 C').replaceAll('<gpu_util>7 %', '<gpu_util>0 %')
const LEFTOVER = '<process_info><pid>4194303</pid><type>C</type><process_name>python3</process_name></process_info>'
/** The first of both cards runs a program that never ends, and the other one has lost memory; or the other way round. */
function brokenCards(isFirstKept: boolean): string {
  let index = -1
  return HEALTHY.replaceAll(/<gpu id=[\s\S]*?<\/gpu>/g, (card) => {
    index += 1
    const isKept = (index === 0) === isFirstKept
    return isKept ? card.replace('<processes>', `<processes>${LEFTOVER}`) : card.replace('<dram_uncorrectable>0', '<dram_uncorrectable>2')
  })
}
/** For a worker that is still to start: its agent waits before it begins. */
const SLEEPING = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000)'
const ON_CPU = { cpu: 'cpu3c-1-2', idleTimeout: 600 }

await suiteThatNeeds(['redis', 'promtool'], 'a Prometheus that scrapes a stack', () => {
  let smi: StandInSmi
  let stack: Stack
  let prometheus: FastAlerts
  let cards: string
  const panelsShown = Promise.withResolvers<undefined>()
  const certificate = (days: string) => {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', join(smi.directory, 'key.pem'), '-out', join(smi.directory, 'cert.pem')]
    return runCommand('openssl', ['req', '-x509', ...curve, '-days', days, '-subj', '/CN=yard', ...files])
  }

  beforeAll(async () => {
    smi = await standInSmi(HEALTHY)
    await certificate('5')
    stack = await startStack({
      host: 'process',
      settings: {
        PATH: `${smi.directory}:${process.env['PATH'] ?? ''}`,
        RUNYARD_LEASE_BUDGET: '0',
        RUNYARD_WEBHOOKS_ALLOW_PRIVATE: 'true',
        RUNYARD_WEBHOOKS_OUTBOX_EVENTS: '2',
        RUNYARD_WEBHOOKS_RETRY_DELAYS_S: '2',
        RUNYARD_TLS_PORT: '0',
        RUNYARD_TLS_CERT: join(smi.directory, 'cert.pem'),
        RUNYARD_TLS_KEY: join(smi.directory, 'key.pem'),
      },
    })
    prometheus = await startFastAlerts([new URL(stack.url).host])
    cards = await stack.api.saveEndpoint({ name: 'cards', gpuIds: 'ADA_24', workersMax: 2, idleTimeout: 600 })
    await stack.api.runsync(cards, sourceCall('echo', ECHO))
  })
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await stack?.stop()
    await smi?.[Symbol.asyncDispose]()
  })

  /** The first one is an increase only if the zero before it was scraped. */
  const zeroIsSeen = (series: string) =>
    waitFor(`${series} to be scraped`, async () => (await prometheus.query(series)).length > 0, PATIENCE)

  test('no page is raised while all is well', async () => {
    const cardsSeen = async () => (await prometheus.query('runyard_gpu_temperature_celsius')).length === 2
    await waitFor('a scrape of the scaler’s report', cardsSeen, PATIENCE)
    expect((await prometheus.alerts()).filter(({ labels, state }) => labels['severity'] === 'page' && state === 'firing')).toEqual([])
  })

  describe.concurrent('faults beside each other', () => {
    test('cards that are hot, idle but held, broken, or not given back have their tickets, and return to use', async () => {
      await smi.report(HOT_AND_IDLE)
      expect(await prometheus.fires('RunyardGpuHot')).toMatchObject({ labels: { gpu: '0' } })
      await prometheus.fires('RunyardGpuIdleButHeld')
      await smi.report(HEALTHY)
      await prometheus.clear(['RunyardGpuHot', 'RunyardGpuIdleButHeld'])
      await panelsShown.promise
      const [held] = await prometheus.query('runyard_gpu_assigned')
      const [kept, broken] = held?.metric['gpu'] === '0' ? ['0', '1'] : ['1', '0']
      await smi.report(brokenCards(kept === '0'))
      await stack.api.deleteEndpoint(cards)
      const alerts = ['RunyardGpuMemoryErrors', 'RunyardGpuQuarantined', 'RunyardGpuMemoryNotReturned']
      await Promise.all([
        prometheus.fires('RunyardGpuMemoryErrors', { gpu: broken }),
        prometheus.fires('RunyardGpuQuarantined', { gpu: broken, cause: 'reset' }),
        prometheus.fires('RunyardGpuMemoryNotReturned', { gpu: kept }),
      ])
      await smi.report(HEALTHY)
      await prometheus.clear(alerts)
    })

    test('workers that start twice as slowly as in the last week are named, until they start as before', async () => {
      const program = join(smi.directory, 'before-agent.cjs')
      await writeFile(program, '')
      const slow = await stack.api.saveEndpoint({
        name: 'slow',
        cpu: 'cpu3c-1-2',
        workersMax: 4,
        idleTimeout: 1,
        env: { NODE_OPTIONS: `--require=${program}` },
      })
      await stack.api.runsync(slow, sourceCall('echo', ECHO))
      await zeroIsSeen('runyard_worker_start_seconds_count{endpoint="slow",phase="total"}')
      await Promise.all([1, 2, 3, 4].map(async () => stack.api.runsync(slow, sourceCall('nap', NAP, { seconds: 5 }))))
      await stack.api.untilZero(slow)
      await writeFile(program, SLEEPING)
      const id = await stack.api.run(slow, sourceCall('echo', ECHO))
      expect(await prometheus.fires('RunyardColdStartsSlow')).toMatchObject({ labels: { endpoint: 'slow' } })
      expect(await stack.api.settled(slow, id)).toMatchObject({ status: 'COMPLETED' })
      await prometheus.clear(['RunyardColdStartsSlow'])
    })

    test('jobs that wait too long are named with the reason, and the alert clears when none waits', async () => {
      const picky = await stack.api.saveEndpoint({ name: 'picky', gpuIds: 'HOPPER_141' })
      const id = await stack.api.run(picky, sourceCall('echo', ECHO))
      const { labels, annotations } = await prometheus.fires('RunyardJobsWaitTooLong', { endpoint: 'picky' })
      expect(labels).toMatchObject({ reason: 'no_matching_gpu', severity: 'ticket' })
      expect(annotations['summary']).toMatch(/^A job of picky has waited for .* \(no_matching_gpu\)\.$/)
      await prometheus.fires('RunyardNoCapacity', { endpoint: 'picky', reason: 'no_matching_gpu' })
      // Another worker starts.
      await Promise.all([1, 2, 3].map(async () => stack.api.runsync(cards, sourceCall('nap', NAP, { seconds: 3 }))))
      await allPanelsHaveSeries().finally(() => panelsShown.resolve(undefined))
      await stack.api.post(`/v2/${picky}/cancel/${id}`, {})
      await prometheus.clear(['RunyardJobsWaitTooLong', 'RunyardNoCapacity'], { endpoint: 'picky' })
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
      await zeroIsSeen('runyard_worker_start_failures_total{endpoint="broken"}')
      await stack.api.run(broken, sourceCall('echo', ECHO))
      expect(await prometheus.fires('RunyardWorkersCrashLoop')).toMatchObject({ labels: { endpoint: 'broken' } })
      await stack.api.deleteEndpoint(broken)
      await prometheus.clear(['RunyardWorkersCrashLoop'])
    })

    test('a lost worker and its job, and webhooks that no receiver accepts, have their alerts', async () => {
      const ill = await stack.api.saveEndpoint({ name: 'ill', ...ON_CPU })
      await stack.api.runsync(ill, sourceCall('echo', ECHO))
      await zeroIsSeen('runyard_workers_lost_total{endpoint="ill"}')
      const id = await stack.api.run(ill, sourceCall('nap', NAP, { seconds: 600 }))
      const workerId = await waitFor('the job to run', async () => (await stack.api.status(ill, id)).workerId)
      process.kill(await findWorkerPid('process', workerId), 'SIGKILL')
      // Each for some seconds only, and not at the same time.
      const lost = await Promise.all(['RunyardWorkersLost', 'RunyardJobsLost'].map((alert) => prometheus.fires(alert)))
      expect(lost.map(({ labels }) => labels['endpoint'])).toEqual(['ill', 'ill'])
      await using receiver = await startReceiver()
      receiver.answer = (response) => void response.writeHead(500).end()
      for (let job = 0; job < 5; job += 1)
        await stack.api.post(`/v2/${ill}/runsync`, { input: sourceCall('echo', ECHO), webhook: receiver.url })
      await Promise.all(['RunyardWebhooksDropped', 'RunyardWebhooksLate'].map((alert) => prometheus.fires(alert)))
      receiver.answer = (response) => void response.writeHead(200).end()
      await prometheus.clear(['RunyardWorkersLost', 'RunyardJobsLost', 'RunyardWebhooksDropped', 'RunyardWebhooksLate'])
    })

    test('jobs that fail burn the budget of errors, until enough of them are mended', async () => {
      const failing = await stack.api.saveEndpoint({ name: 'failing', image: 'runpod/flash:latest', ...ON_CPU })
      await zeroIsSeen('runyard_jobs_ended_total{endpoint="failing",status="FAILED"}')
      for (let job = 0; job < 12; job += 1) expect((await stack.api.runsync(failing, { no: 'call' })).status).toBe('FAILED')
      await prometheus.fires('RunyardErrorBudgetBurn', { endpoint: 'failing' })
      const mended = Array.from({ length: 240 }, () => stack.api.run(failing, sourceCall('echo', ECHO)))
      await Promise.all(mended)
      await prometheus.clear(['RunyardErrorBudgetBurn'])
    })

    test('large values that cannot be stored are errors, until their directory is back', async () => {
      const large = await stack.api.saveEndpoint({ name: 'large', ...ON_CPU })
      const directory = join(stack.dataDir, 'blobs')
      await rename(directory, `${directory}-away`)
      await writeFile(directory, '')
      const input = { value: 'x'.repeat(2 ** 20) }
      expect((await stack.api.post(`/v2/${large}/run`, { input })).status).toBe(503)
      await prometheus.fires('RunyardBlobErrors', { operation: 'write' })
      await rm(directory)
      await rename(`${directory}-away`, directory)
      await prometheus.clear(['RunyardBlobErrors'])
    })
  })

  test('a certificate that expires within two weeks is named, until another is in its place', async () => {
    const { annotations } = await prometheus.fires('RunyardCertificateExpires')
    expect(annotations['summary']).toMatch(/ expires in 4d /u)
    await certificate('90')
    await prometheus.clear(['RunyardCertificateExpires'])
  })

  test('a Redis that is nearly full, may evict or stops now and then has its tickets until it is over', async () => {
    const [used] = await prometheus.query('runyard_store_used_bytes')
    await stack.redis.configure('maxmemory', `${Math.round(Number(used?.value[1]) * 1.12)}`)
    await stack.redis.configure('maxmemory-policy', 'volatile-ttl')
    const alerts = ['RunyardStoreSlow', 'RunyardStoreNotDurable', 'RunyardStoreNearlyFull']
    const all = Promise.all(alerts.map((alert) => prometheus.fires(alert)))
    const waits = await stack.api.saveEndpoint({ name: 'waits', gpuIds: 'HOPPER_141' })
    await stopping(stack.redis.pid, all, { stoppedMs: 450, runningMs: 600, during: () => stack.api.run(waits, {}) })
    await stack.api.deleteEndpoint(waits)
    expect((await all)[1]?.labels['kind']).toBe('may_evict')
    await stack.redis.configure('maxmemory-policy', 'noeviction')
    await stack.redis.configure('maxmemory', '0')
    await prometheus.clear(alerts)
  })

  test('a gateway that gets no processor is overloaded, until it gets one', async () => {
    const blocked = prometheus.fires('RunyardGatewayBlocked')
    await stopping(stack.gateway.pid(), blocked, { stoppedMs: 650, runningMs: 350 })
    expect((await blocked).annotations['summary']).toMatch(/ is overloaded: it answers \d+.* late\.$/u)
    await prometheus.clear(['RunyardGatewayBlocked'])
  })

  interface Stops {
    readonly stoppedMs: number
    readonly runningMs: number
    /** What is asked of it while it is stopped. */
    readonly during?: () => Promise<unknown>
  }

  /** Stops the process again and again, until this is settled. */
  async function stopping(pid: number, until: Promise<unknown>, { stoppedMs, runningMs, during }: Stops): Promise<void> {
    const over = new AbortController()
    const end = (): void => over.abort()
    void until.then(end, end)
    while (!over.signal.aborted) {
      process.kill(pid, 'SIGSTOP')
      const asked = during?.()
      await sleep(stoppedMs)
      process.kill(pid, 'SIGCONT')
      await Promise.all([asked, sleep(runningMs)])
    }
  }

  test('a scaler that is killed is silent, until one starts again', async () => {
    await stack.scaler.kill()
    expect(await prometheus.fires('RunyardScalerSilent')).toMatchObject({ labels: { severity: 'page' } })
    await stack.scaler.start()
    await prometheus.clear(['RunyardScalerSilent'])
  })

  test('a Redis that is killed is away, and the gateway stays up', async () => {
    await stack.redis.kill('written')
    expect(await prometheus.fires('RunyardStoreAway')).toMatchObject({ labels: { severity: 'page' } })
    expect(await prometheus.query('up')).toMatchObject([{ value: [expect.any(Number), '1'] }])
    await stack.redis.restart()
    await prometheus.clear(['RunyardStoreAway'])
  })

  test('a gateway that is killed is down, until it starts again', async () => {
    await stack.gateway.kill()
    expect(await prometheus.fires('RunyardDown')).toMatchObject({ labels: { severity: 'page' } })
    await stack.gateway.start()
    await prometheus.clear(['RunyardDown'])
  })
})
