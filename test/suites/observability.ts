// What an operator can see: metrics, wide log lines, and a ledger that sums to each worker's wall time.
import type { LedgerRow } from '@runyard/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { testWhere } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, FAIL, sourceCall } from './calls.ts'

interface UsageLine {
  readonly endpointName: string | null
  readonly gpuType: string | null
  readonly state: string
  readonly seconds: number
  readonly billableSeconds: number
}

export function observabilitySuite(host: HostKind): void {
  let stack: Stack
  let endpoint: string
  let lifeMs: number
  let goneAt: number

  beforeAll(async () => {
    const tasks = { RUNYARD_TASKS_MAX_AGE_S: '5', RUNYARD_TASKS_HOST: 'localhost:1' }
    stack = await startStack({ host, simulatedGpus: 'NVIDIA GeForce RTX 4090:1', settings: { RUNYARD_LOG_LEVEL: 'info', ...tasks } })
    endpoint = await stack.api.saveEndpoint({ name: 'watched', gpuIds: 'ADA_24', idleTimeout: 1 })
    // Both jobs wait for the same worker, which is removed after one idle second.
    const ids = [await stack.api.run(endpoint, sourceCall('echo', ECHO)), await stack.api.run(endpoint, sourceCall('fail', FAIL))]
    for (const id of ids) await stack.api.settled(endpoint, id)
    await stack.api.untilZero(endpoint)
    const gone = await waitFor('the scaler’s word on the worker', () => linesOf(stack.scaler.child().output()).find(isGone))
    lifeMs = Number(gone['lifeMs'])
    goneAt = Date.parse(String(gone['time']))
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const usage = async (): Promise<readonly UsageLine[]> => {
    const lines = (await stack.api.get('/runyard/v1/usage')).json['usage'] as UsageLine[]
    return lines.filter((line) => line.endpointName === 'watched')
  }

  test('the metrics show queue depth, workers by phase, job durations, cold-start phases and billable seconds', async () => {
    const metrics = await stack.api.get('/metrics')
    expect(metrics).toMatchObject({ status: 200 })
    expect(metrics.headers.get('content-type')).toContain('text/plain')
    const value = sampleReader(metrics.text)
    expect(value('runyard_queue_jobs', { endpoint: 'watched', state: 'waiting' })).toBe(0)
    expect(value('runyard_workers', { endpoint: 'watched', phase: 'idle' })).toBe(0)
    expect(value('runyard_job_run_seconds_count', { endpoint_id: endpoint })).toBe(2)
    expect(value('runyard_job_wait_seconds_count', { endpoint_id: endpoint })).toBe(2)
    expect(value('runyard_worker_start_seconds_count', { endpoint: 'watched', phase: 'total' })).toBe(1)
    expect(value('runyard_billable_seconds_total', { endpoint: 'watched', state: 'running' })).toBeGreaterThan(0)
    expect(metrics.text).not.toMatch(/^(?!runyard_|process_|nodejs_|#)./m)
  })

  test('the ledger’s intervals follow one another without a gap and sum to the worker’s wall time', async () => {
    const rows = (await readLedger(stack.redis.url)).toSorted((left, right) => left.from - right.from)
    expect(rows.map((row) => row.state)).toEqual(['initializing', 'running'])
    expect(rows.slice(1).map((row) => row.from)).toEqual(rows.slice(0, -1).map((row) => row.to))
    const wallMs = sum(rows.map((row) => (row.to ?? Number.NaN) - row.from))
    expect(wallMs).toBeGreaterThanOrEqual(Math.floor(lifeMs))
    expect(rows.at(-1)?.to).toBeLessThanOrEqual(goneAt)
  })

  test('usage bills each interval in whole seconds by its state, for the GPU that was held', async () => {
    const lines = await usage()
    const rows = await readLedger(stack.redis.url)
    const seconds = (state: string): number =>
      sum(rows.filter((row) => row.state === state).map(({ from, to = from }) => Math.ceil((to - from) / 1000)))
    expect(lines).toEqual(
      ['initializing', 'running'].map((state) =>
        expect.objectContaining({ state, gpuType: 'NVIDIA GeForce RTX 4090', seconds: seconds(state), billableSeconds: seconds(state) }),
      ),
    )
  })

  test('a worker that is gone adds no further cost', async () => {
    const before = await usage()
    await stack.api.get(`/v2/${endpoint}/health`)
    expect(await usage()).toEqual(before)
  })

  test('each job and each transition of a worker is one log line with its facts', async () => {
    // Parts write their logs with some delay.
    const settled = (): readonly Record<string, unknown>[] =>
      linesOf(stack.gateway.child().output()).filter((line) => line['msg'] === 'job settled')
    await expect.poll(settled).toHaveLength(2)
    expect(settled()[0]).toMatchObject({
      endpoint: 'watched',
      jobId: expect.any(String),
      workerId: expect.any(String),
      status: 'COMPLETED',
      delayMs: expect.any(Number),
      executionMs: expect.any(Number),
      retries: 0,
    })
    const transitions = (): readonly Record<string, unknown>[] =>
      linesOf(stack.scaler.child().output()).filter((line) => line['endpointId'] === endpoint && 'transition' in line)
    await expect
      .poll(() => transitions().map((line) => line['transition']))
      .toEqual(['worker_placed', 'worker_started', 'worker_draining', 'worker_gone'])
    expect(transitions().map((line) => line['reason'])).toEqual(['first_job', 'first_job', 'idle_timeout', 'idle_timeout'])
  })

  test('an endpoint that no host can serve reports why, and is served once it asks for available hardware', async () => {
    const picky = await stack.api.saveEndpoint({ name: 'picky', gpuIds: 'HOPPER_141', idleTimeout: 1 })
    const id = await stack.api.run(picky, sourceCall('echo', ECHO))
    await expect
      .poll(() => stack.api.health(picky), { timeout: 60_000 })
      .toMatchObject({ workers: { throttled: 1 }, reason: 'no_matching_gpu', message: expect.stringContaining('NVIDIA H200') })
    await stack.api.saveEndpoint({ name: 'picky', gpuIds: 'ADA_24', idleTimeout: 1 })
    expect(await stack.api.settled(picky, id)).toMatchObject({ status: 'COMPLETED' })
  })

  testWhere(
    host === 'process',
    'a task whose client is gone ends when its time is over, and the ledger has what its worker used',
    async () => {
      const { deployCpuPod } = await stack.api.graphql(CREATE_TASK, { input: TASK })
      const [, taskId = ''] = /\/t\/(\w+)$/u.exec((deployCpuPod as { id: string }).id) ?? []
      const rows = async () => (await readLedger(stack.redis.url)).filter((row) => row.endpointId === taskId)
      await expect.poll(rows, { timeout: 60_000, interval: 200 }).toContainEqual(expect.objectContaining({ state: 'initializing' }))
      await expect.poll(async () => (await stack.api.get('/v2/pods')).json, { timeout: 60_000, interval: 200 }).toMatchObject({ pods: [] })
      const isOver = async () => (await rows()).every(({ to }) => to !== undefined)
      await waitFor('its worker to be gone', isOver)
      const [usedFrom, usedTo] = [(await rows())[0]?.from ?? NaN, (await rows()).at(-1)?.to ?? NaN]
      expect(usedTo - usedFrom).toBeGreaterThan(1000)
      expect(linesOf(stack.scaler.child().output()).map((line) => line['msg'])).toContainEqual(expect.stringMatching(/^a task is over: /u))
    },
  )
}

const CREATE_TASK = 'mutation($input: deployCpuPodInput!) { deployCpuPod(input: $input) { id desiredStatus } }'
/** As SDK 2 sends it (sdk2-api §4.6). */
const TASK = {
  name: 'task-train-0123abcd',
  imageName: 'runpod/task:py3.12-latest',
  instanceId: 'cpu3c-1-2',
  ports: '8080/http',
  containerDiskInGb: 10,
  supportPublicIp: true,
  env: [
    { key: 'RUNPOD_TASK_TOKEN', value: 'secret' },
    { key: 'RUNPOD_TASK_PORT', value: '8080' },
  ],
  dataCenterIds: ['EU-RO-1'],
  volumeMounts: [],
}

async function readLedger(redisUrl: string): Promise<readonly LedgerRow[]> {
  await using store = await openTestStore(redisUrl)
  return await store.ledger.rows({ from: 0, to: Date.now() })
}

type LogLine = Readonly<Record<string, unknown>>

function linesOf(output: string): readonly LogLine[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
}

function isGone(line: LogLine): boolean {
  return line['transition'] === 'worker_gone'
}

/** Sum of the samples of `name` whose labels include `labels`; undefined if there are none. */
function sampleReader(text: string): (name: string, labels: Readonly<Record<string, string>>) => number | undefined {
  return (name, labels) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    const samples = text.split('\n').filter((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)))
    return samples.length === 0 ? undefined : sum(samples.map((line) => Number(line.slice(line.lastIndexOf(' ')))))
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
