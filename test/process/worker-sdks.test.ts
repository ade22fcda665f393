// Each minor version of the worker SDK, its pre-releases and the patch releases that behave differently (worker-api §15), unmodified, with
// plain handlers, against the real gateway: the rows that matter to a server, and harmful behaviour (worker-api §17). There is one worker
// process per kind of handler; the test acts as the scaler.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@runyard/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { JobView } from '@runyard/schema/api'
import { startOwnStack, startSdkWorker, type SdkWorker, type SdkWorkerOptions } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import type { Stack } from '../harness/stack.ts'
import { VENVS, type VenvName } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'

interface Sdk {
  readonly venv: VenvName
  readonly version: string
  /** The tests that it runs. A patch release runs only the tests where it differs from its minor version. */
  readonly runs: readonly Kind[]
  /** The version in its pings (worker-api §8). */
  readonly namesJobs: boolean
  /** Earlier versions never report an aggregated generator that raises, and keep its job in their pings forever. */
  readonly reportsRaisingGenerator: boolean
  /** After SIGTERM it finishes its job before it ends (worker-api §11.3). */
  readonly drains: boolean
  /** An `error` in a chunk ends the job (worker-api §6). */
  readonly errorChunkFails: boolean
  /** Has the stop channel (worker-api §9). */
  readonly stops: boolean
  /** Checks its fitness (worker-api §11.2) and reports a failure. */
  readonly checksFitness: boolean
  readonly reportsUnfit: boolean
}

/** The features in the order in which the SDK introduced them: each version has all features up to one. */
const FEATURES = ['reportsRaisingGenerator', 'drains', 'errorChunkFails', 'checksFitness', 'stops', 'reportsUnfit'] as const

const KINDS = ['sync', 'async', 'generator', 'stream'] as const
type Kind = (typeof KINDS)[number]

function sdk(venv: keyof typeof VENVS, upTo?: (typeof FEATURES)[number], more: Partial<Sdk> = {}): Sdk {
  const known = upTo === undefined ? 0 : FEATURES.indexOf(upTo) + 1
  const features = Object.fromEntries(FEATURES.map((name, index) => [name, index < known]))
  return { venv, version: VENVS[venv][0].split('==')[1], runs: KINDS, namesJobs: true, ...features, ...more } as unknown as Sdk
}

/** The slowest first. Versions 1.7 and 1.8 keep a core busy even while their poll is held, so two similar versions share the tests. */
const SDKS: readonly Sdk[] = [
  sdk('runpod-1.7.1', 'reportsRaisingGenerator', { runs: ['sync', 'async'], namesJobs: false }),
  sdk('runpod-1.7.2', 'reportsRaisingGenerator', { runs: ['async', 'generator'] }),
  sdk('runpod-1.6'),
  sdk('runpod-1.7.4', 'drains'),
  sdk('runpod-1.7.7', 'errorChunkFails', { runs: ['generator'] }),
  sdk('runpod-1.7', 'errorChunkFails'),
  sdk('runpod-1.8', 'errorChunkFails'),
  sdk('runpod-1.9', 'checksFitness'),
  sdk('runpod-1.10', 'stops'),
  sdk('runpod-1.11', 'reportsUnfit'),
  sdk('runpod-1.12', 'reportsUnfit'),
  sdk('runpod-2.0.0rc1', 'reportsUnfit'),
  sdk('runpod-2.0', 'reportsUnfit'),
]
const running = (kind: Kind): readonly Sdk[] => SDKS.filter(({ runs }) => runs.includes(kind))

const ALL_ROUTES = ['job-take', 'job-take-batch', 'job-stop', 'job-done', 'job-stream', 'ping'] as const
const PATIENCE = { timeoutMs: 120_000, intervalMs: 200 }
/** Long enough for a busy loop to cause thousands of requests, and for the SDK's 1 s intervals to cause a few. */
const WATCHED_MS = 3000
vi.setConfig({ maxConcurrency: 12, testTimeout: 300_000 })

const needs = SDKS.map(({ venv }) => `venv:${venv}` as const)
await suiteThatNeeds(['redis', ...needs], 'plain handlers on every worker SDK', () => {
  let stack: Stack
  let store: Store
  const scope = new AsyncDisposableStack()

  beforeAll(async () => {
    ;({ stack, store } = scope.use(await startOwnStack()))
  })
  afterAll(() => scope.disposeAsync())

  const newEndpoint = (of: Sdk, name: string): Promise<string> =>
    stack.api.saveEndpoint({ name: `${name}-${of.version}`, workersMax: 3, idleTimeout: 600 })
  const start = (of: Sdk, endpointId: string, more: Pick<SdkWorkerOptions, 'kind' | 'env'>): Promise<SdkWorker> =>
    startSdkWorker({ stack, store, endpointId, venv: of.venv, ...more })
  /** Long polls, because a dozen workers that poll repeatedly would take the CPU from the tests. */
  const settled = (endpointId: string, jobId: string): Promise<JobView> =>
    waitFor(
      `job ${jobId} to end`,
      async () => {
        const job = await stack.api.read<JobView>(`/v2/${endpointId}/status-sync/${jobId}?wait=20000`)
        return 'executionTime' in job && job
      },
      PATIENCE,
    )
  const run = async (endpointId: string, input: unknown): Promise<JobView> => settled(endpointId, await stack.api.run(endpointId, input))
  /** The condition that an endpoint's jobs wait for, if a test holds them. */
  const gateOf = (endpointId: string): string => join(stack.dataDir, `gate-${endpointId}`)
  const wantsReplacement = async (worker: SdkWorker): Promise<unknown> => (await worker.record())?.refreshRequested

  /** Cancels a running job; false: its worker continues and has to be replaced (worker-api §9). */
  async function cancelRunning({ namesJobs }: Sdk, endpointId: string, worker: SdkWorker): Promise<boolean> {
    const id = await stack.api.run(endpointId, { sleep: 600 })
    const names = (): boolean => !namesJobs || worker.asked.pings.at(-1)?.get('job_id') === id
    const runs = async (): Promise<boolean> => (await stack.api.status(endpointId, id)).status === 'IN_PROGRESS'
    await waitFor('the worker to work on it', async () => names() && (await runs()), PATIENCE)
    const reply = await stack.api.post(`/v2/${endpointId}/cancel/${id}`, {})
    if (reply.json['status'] !== 'CANCELLED') throw new Error(`cancelled, but answered ${reply.text}`)
    await waitFor('the worker to stop or to be given up', async () => !names() || (await wantsReplacement(worker)) === true, PATIENCE)
    return (await wantsReplacement(worker)) !== true
  }

  async function readStream(endpointId: string, jobId: string): Promise<unknown[]> {
    const chunks: unknown[] = []
    await waitFor(
      'the stream to end',
      async () => {
        const { json } = await stack.api.get(`/v2/${endpointId}/stream/${jobId}`)
        chunks.push(...(json['stream'] as { output: unknown }[]).map(({ output }) => output))
        return json['status'] === 'COMPLETED'
      },
      PATIENCE,
    )
    return chunks
  }

  // worker-api §15.3, §15.8, §15.12, §17.1
  test.concurrent.each(running('sync'))(
    'runpod $version, a function: results, errors, progress, no spin, a fresh worker on request, a cancel that it cannot hear',
    async (of) => {
      const endpointId = await newEndpoint(of, 'sync')
      await using worker = await start(of, endpointId, { kind: 'sync' })
      expect(await run(endpointId, { hello: 'wörld' })).toMatchObject({
        status: 'COMPLETED',
        output: { echo: { hello: 'wörld' }, sdk: of.version, worker: worker.id },
      })
      const raised = await run(endpointId, { raise: 'the cheese is gone' })
      expect(raised).toMatchObject({ status: 'FAILED', error: expect.stringContaining('the cheese is gone') })
      expect(JSON.parse(String(raised['error']))).toMatchObject({ worker_id: worker.id })
      expect(await run(endpointId, { error: 'no cheese today' })).toMatchObject({ status: 'FAILED', error: 'no cheese today' })

      const shown = gateOf(endpointId)
      const id = await stack.api.run(endpointId, { progress: 'half way', until: shown })
      const progress = async (): Promise<boolean> => (await stack.api.status(endpointId, id))['output'] === 'half way'
      expect(await waitFor('the progress to show', progress, PATIENCE)).toBe(true)
      await writeFile(shown, '')
      expect(await settled(endpointId, id)).toMatchObject({ status: 'COMPLETED', output: { id } })

      const [before, begun] = [worker.asked.count(...ALL_ROUTES), Date.now()]
      await new Promise((resolve) => setTimeout(resolve, WATCHED_MS))
      const seconds = (Date.now() - begun) / 1000
      expect((worker.asked.count(...ALL_ROUTES) - before) / seconds).toBeLessThan(5)

      const refreshed = await run(endpointId, { refresh: true })
      expect(refreshed).toMatchObject({ status: 'COMPLETED', output: { echo: { refresh: true } } })
      expect(refreshed['output']).not.toHaveProperty('refresh_worker')
      expect(await wantsReplacement(worker)).toBe(true)

      await worker.patch({ refreshRequested: false })
      expect(await cancelRunning(of, endpointId, worker)).toBe(false)
    },
  )

  // worker-api §15.1, §15.10, §17.6, §17.11
  test.concurrent.each(running('async'))(
    'runpod $version, an async function: several jobs at once, and a cancel that it hears where the SDK has the channel',
    async (of) => {
      const endpointId = await newEndpoint(of, 'async')
      const until = gateOf(endpointId)
      const ids = await Promise.all([1, 2, 3].map((job) => stack.api.run(endpointId, { job, until })))
      await using worker = await start(of, endpointId, { kind: 'async' })
      const allRun = async (): Promise<boolean> => (await stack.api.health(endpointId)).jobs.inProgress === 3
      expect(await waitFor('all to run', allRun, PATIENCE)).toBe(true)
      await writeFile(until, '')
      const jobs = await Promise.all(ids.map((id) => settled(endpointId, id)))
      expect(jobs.map(({ status, output }) => [status, (output as { id: string }).id])).toEqual(ids.map((id) => ['COMPLETED', id]))

      expect(await cancelRunning(of, endpointId, worker)).toBe(of.stops)
      const next = await stack.api.run(endpointId, { job: 'next' })
      if (of.stops) await settled(endpointId, next)
      expect((await stack.api.status(endpointId, next)).status).toBe(of.stops ? 'COMPLETED' : 'IN_QUEUE')
    },
  )

  // worker-api §15.5, §15.6, §15.9, §17.4
  test.concurrent.each(running('generator'))(
    'runpod $version, a generator: its chunks and their list, its errors, and its end by SIGTERM',
    async (of) => {
      const endpointId = await newEndpoint(of, 'generator')
      await using worker = await start(of, endpointId, { kind: 'generator' })
      const numbers = (count: number): unknown[] => Array.from({ length: count }, (_, number) => ({ number }))
      const id = await stack.api.run(endpointId, { count: 5 })
      expect(await readStream(endpointId, id)).toEqual(numbers(5))
      expect(await stack.api.status(endpointId, id)).toMatchObject({ status: 'COMPLETED', output: numbers(5) })

      const withError = await run(endpointId, { count: 3, error_at: 1 })
      expect(withError.status).toBe(of.errorChunkFails ? 'FAILED' : 'COMPLETED')
      expect(JSON.stringify(withError)).toContain('no more cheese')

      // If the SDK never ends such a job, only an execution timeout does; not tested.
      const raised = await run(endpointId, { count: 3, ...(of.reportsRaisingGenerator ? { raise_at: 1 } : {}) })
      expect(raised.status).toBe(of.reportsRaisingGenerator ? 'FAILED' : 'COMPLETED')
      expect(JSON.stringify(raised)).toContain(of.reportsRaisingGenerator ? 'the cheese is gone' : 'number')

      // If it does not drain, it must not have ended by itself before.
      const last = await stack.api.run(endpointId, { count: 20, gap: of.drains ? 0.1 : 3 })
      // Only then does the job run: a job that was just taken is lost on SIGTERM (worker-api §11.3).
      const hasChunk = async (): Promise<boolean> =>
        ((await stack.api.get(`/v2/${endpointId}/stream/${last}`)).json['stream'] as unknown[]).length > 0
      await waitFor('its first chunk', hasChunk, PATIENCE)
      await worker.patch({ drainingSince: Date.now(), retireReason: 'idle_timeout' })
      worker.child.signal('SIGTERM')
      expect(await worker.child.exited).toBe(of.drains ? 0 : null)
      expect((await stack.api.status(endpointId, last)).status).toBe(of.drains ? 'COMPLETED' : 'IN_PROGRESS')
    },
  )

  test.concurrent.each(running('stream'))(
    'runpod $version, an async generator without aggregation, on a worker that is fresh for each job',
    async (of) => {
      const endpointId = await newEndpoint(of, 'stream')
      await using worker = await start(of, endpointId, { kind: 'stream' })
      const id = await stack.api.run(endpointId, { count: 3 })
      expect(await readStream(endpointId, id)).toEqual([{ number: 0 }, { number: 1 }, { number: 2 }])
      expect(await stack.api.status(endpointId, id)).toMatchObject({ status: 'COMPLETED', output: [] })
      expect(await wantsReplacement(worker)).toBe(true)
      expect(await worker.child.exited).toBe(0)
    },
  )

  // worker-api §2.3; all versions from 1.7 on behave the same
  test.concurrent.each(SDKS.filter(({ version }) => /^(?:1\.12|2\.0\.0rc2)/.test(version)))(
    'runpod $version with an API key of its image gets no job, is unhealthy for it, and its log says why',
    async (of) => {
      const home = await mkdtemp(join(tmpdir(), 'runyard-image-home-'))
      await mkdir(join(home, '.runpod'))
      await writeFile(join(home, '.runpod', 'config.toml'), '[default]\napi_key = "rpa_of_the_image"\n')
      const endpointId = await newEndpoint(of, 'keyed')
      const id = await stack.api.run(endpointId, { hello: 'no one' })
      await using worker = await start(of, endpointId, { kind: 'sync', env: { HOME: home } })
      const unhealthy = async (): Promise<string | undefined> => (await worker.record())?.unhealthyReason
      expect(await waitFor('it to be unhealthy', unhealthy, PATIENCE)).toContain('~/.runpod/config.toml')
      expect((await stack.api.get(`/hapi/v1/pod/${worker.id}/logs?type=system`)).json).toMatchObject({
        system: [expect.stringContaining('~/.runpod/config.toml')],
      })
      expect(await stack.api.status(endpointId, id)).toMatchObject({ status: 'IN_QUEUE' })
      await rm(home, { recursive: true })
    },
  )

  // worker-api §15.11
  test.concurrent.each(SDKS.filter(({ checksFitness }) => checksFitness))(
    'runpod $version that finds itself unfit takes no job, says why where it can, and ends with exit code 1',
    async (of) => {
      const endpointId = await newEndpoint(of, 'unfit')
      await using worker = await start(of, endpointId, { kind: 'sync', env: { FITNESS: 'fails' } })
      expect(await worker.child.exited).toBe(1)
      const record = await worker.record()
      expect(record?.unhealthyReason?.includes('enough_cheese')).toBe(of.reportsUnfit ? true : undefined)
      expect([record?.readyAt, worker.asked.count('job-take', 'job-take-batch')]).toEqual([undefined, 0])
    },
  )
})
