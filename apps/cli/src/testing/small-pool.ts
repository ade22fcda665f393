// Test fixture: what a gateway says of a pool with long names, long ids, a failed job and one that waits. Times are before NOW.
import type { Answer } from './fake-gateway.ts'
import { ago, CAPTION, NOW, SMALL_LISTS, UPSCALE } from './small-lists.ts'

const COUNTS = { idle: 0, initializing: 0, ready: 0, running: 2, throttled: 0, unhealthy: 0 }
const REFUSAL = 'no host has an NVIDIA L4: local has 2 × NVIDIA GeForce RTX 4090, gpu-box-2 is cordoned by the operator since 13:50'

const endpoint = (id: string, name: string) => ({
  id,
  name,
  image: 'registry.example.com/team/vision/stable-diffusion-worker:2026-11-30-cuda12',
  type: 'QUEUE',
  args: '',
  gpu: { pools: ['ADA_24', 'AMPERE_24'], excludedTypes: ['NVIDIA RTX A5000'], count: 2 },
  cpu: undefined,
  workers: { min: 0, max: 8, idleTimeout: 10 },
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  timeout: 0,
  env: {},
  requestUrls: { runSync: `http://127.0.0.1:8080/v2/${id}/runsync` },
})
const worker = (id: string, more: object = {}) => ({
  id,
  status: 'RUNNING',
  isStale: false,
  version: 3,
  gpuCount: 2,
  image: 'registry.example.com/team/vision/stable-diffusion-worker:2026-11-30-cuda12',
  uptimeSeconds: 14_400,
  gpuTypeId: 'NVIDIA GeForce RTX 4090',
  dataCenterId: null,
  startedAt: null,
  ...more,
})
const FAILED = '1fc94455-6c1e-4b6a-9d2c-7f2a1f0e6d11-u1'
const WAITING = '2ab94455-6c1e-4b6a-9d2c-7f2a1f0e6d12-u1'

const JOBS = [
  { id: WAITING, endpoint: UPSCALE, status: 'IN_QUEUE', submittedAt: ago(84), retries: 0, reason: 'no_matching_gpu', message: REFUSAL },
  {
    id: FAILED,
    endpoint: CAPTION,
    status: 'FAILED',
    submittedAt: ago(3700),
    startedAt: ago(3699),
    endedAt: ago(3600),
    delayMs: 312,
    runMs: 65_000,
    retries: 1,
    workerId: 'ry-9f8e7d6c5b4a3210-001',
    error: 'ValueError: the picture has no pixels',
  },
]

const card = (index: number, more: object = {}) => ({
  uuid: `GPU-2b1f6b9e-0000-4000-8000-00000000000${index}`,
  index,
  name: 'NVIDIA GeForce RTX 4090',
  memoryBytes: 24 * 2 ** 30,
  simulated: false,
  healthy: true,
  holders: [],
  ...more,
})
const HOLDER = { workerId: 'ry-9f8e7d6c5b4a3210-001', endpoint: CAPTION }
const SAMPLE = { at: ago(3), load: 0.62, memory: 0.8, powerW: 312.4, temperatureC: 71 }
const QUARANTINE = { kind: 'quarantined', since: ago(600), cause: 'xid', message: 'XID 79: the GPU has fallen off the bus' }

const EXPLANATION = {
  endpoint: CAPTION,
  reason: 'gpus_busy',
  message: 'every card of gpu-box-1 is held',
  wanted: '2 × NVIDIA GeForce RTX 4090',
  priority: 1,
  waiting: 0,
  workers: { now: 2, min: 0, max: 8, throttled: 0 },
  hosts: [],
  changes: ['another card'],
}

const POOL = {
  hosts: [
    {
      id: 'docker:1',
      label: 'gpu-box-1',
      kind: 'docker',
      health: 'ready',
      seenAt: ago(2),
      standby: 0,
      gpus: [
        card(0, { holders: [HOLDER], sample: SAMPLE }),
        card(1, { healthy: false, outOfUse: QUARANTINE }),
        card(2, { sample: { ...SAMPLE, load: null } }),
      ],
    },
    {
      id: 'process:2',
      label: 'local',
      kind: 'process',
      health: 'ready',
      seenAt: ago(2),
      standby: 1,
      gpus: [card(0, { name: 'NVIDIA L4', simulated: true })],
    },
  ],
  scalerAt: ago(2),
}

const LINE = { endpointId: CAPTION.id, workerId: 'ry-9f8e7d6c5b4a3210-001', source: 'container' }
const LINES = [
  { ...LINE, at: ago(90), source: 'system', line: 'start container' },
  { ...LINE, at: ago(80), line: '{"level":"info","msg":"the model is loaded","seconds":3}', level: 'info' },
  { ...LINE, at: ago(70), line: 'ValueError: the picture has no pixels', level: 'error', jobId: FAILED },
]

const LOST = 'the worker was lost (exit code 137, OOM-killed); its last lines:\nloading the model\nallocating 40 GB'

const EVENTS = [
  { at: ago(3700), endpointId: CAPTION.id, kind: 'job_queued', jobId: FAILED, status: 'IN_QUEUE' },
  { at: ago(3690), endpointId: CAPTION.id, kind: 'worker_placed', workerId: 'ry-9f8e7d6c5b4a3210-001', reason: 'first_job' },
  {
    at: ago(3685),
    endpointId: CAPTION.id,
    kind: 'job_requeued',
    jobId: FAILED,
    reason: 'out_of_memory',
    message: LOST,
  },
  {
    at: ago(3600),
    endpointId: CAPTION.id,
    kind: 'job_settled',
    jobId: FAILED,
    status: 'FAILED',
    message: 'ValueError: the picture has no pixels',
  },
  { at: ago(600), endpointId: CAPTION.id, kind: 'endpoint_changed', message: 'version 3 replaces the workers' },
]
/** As the gateway filters. */
const findEvents: Answer = ({ query }) => ({
  events: EVENTS.filter(({ kind }) => query.get('about') === 'all' || kind.startsWith('job') === (query.get('about') === 'jobs')),
})

/** As the gateway filters. */
const findLines: Answer = ({ query }) => ({
  lines: LINES.filter(({ line, source, ...more }) => {
    const job = 'jobId' in more ? more.jobId : undefined
    return (
      line.includes(query.get('q') ?? '') && (query.get('source') === 'all' || source === 'container') && (query.get('job') ?? job) === job
    )
  }),
  nextCursor: null,
  workers: query.get('worker') === 'gone' ? 0 : 2,
})

/** As the gateway filters. */
const findJobs: Answer = ({ query }) => {
  const since = Date.parse(query.get('since') ?? new Date(0).toISOString())
  const isAsked = (name: string, value: string | undefined): boolean => (query.get(name) ?? value) === value
  const has = (name: string, text: string): boolean => text.includes(query.get(name) ?? '')
  const jobs = JOBS.filter(({ id, status, endpoint: own, workerId, error = '', endedAt = NOW }) => {
    const isOne = isAsked('status', status) && isAsked('endpoint', own.id) && isAsked('worker', workerId)
    return isOne && has('q', `${id} ${error}`) && has('error', error) && endedAt >= since
  })
  return { jobs, nextCursor: null }
}

export const SMALL_POOL: Record<string, unknown> = {
  '/v2/serverless': {
    endpoints: [endpoint(CAPTION.id, CAPTION.name), endpoint(UPSCALE.id, UPSCALE.name)],
  },
  'POST /v2/serverless': endpoint('s3d4e5f6g7h8j9', 'sd'),
  'PATCH /v2/serverless/a1b2c3d4e5f6g7': endpoint(UPSCALE.id, UPSCALE.name),
  'DELETE /v2/serverless/a1b2c3d4e5f6g7': {},
  'POST /v2/a1b2c3d4e5f6g7/purge-queue': { removed: 1, status: 'completed' },
  'POST /v2/a1b2c3d4e5f6g7/run': { id: 'sync-1', status: 'IN_QUEUE' },
  '/v2/a1b2c3d4e5f6g7/status-sync/sync-1': { id: 'sync-1', status: 'COMPLETED', output: { picture: 'aGVsbG8=', seconds: 3 } },
  [`POST /v2/a1b2c3d4e5f6g7/cancel/${WAITING}`]: { id: WAITING, status: 'CANCELLED' },
  [`POST /v2/k2j4h5g6f7d8s9/retry/${FAILED}`]: { id: FAILED, status: 'IN_QUEUE' },
  '/v2/serverless/k2j4h5g6f7d8s9/workers': {
    workers: [worker('ry-9f8e7d6c5b4a3210-001'), worker('ry-9f8e7d6c5b4a3210-002', { isStale: true })],
  },
  '/v2/serverless/a1b2c3d4e5f6g7/workers': {
    workers: [worker('throttled-1', { status: 'THROTTLED', image: null, uptimeSeconds: null, gpuTypeId: null, message: REFUSAL })],
  },
  '/v2/k2j4h5g6f7d8s9/health': { jobs: { inQueue: 0, inProgress: 6, completed: 123_456, failed: 3, retried: 0 }, workers: COUNTS },
  '/v2/a1b2c3d4e5f6g7/health': {
    jobs: { inQueue: 1, inProgress: 0, completed: 0, failed: 0, retried: 0 },
    workers: { ...COUNTS, running: 0, throttled: 1 },
    message: REFUSAL,
    reason: 'no_matching_gpu',
  },
  '/runyard/v1/jobs': findJobs,
  '/runyard/v1/pool': POOL,
  '/healthz': { ok: true, redis: 'up', version: '0.1.0' },
  [`/runyard/v1/jobs/${FAILED}`]: {
    ...JOBS[1],
    text: 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: the picture has no pixels',
    attempts: [
      {
        workerId: 'ry-9f8e7d6c5b4a3210-000',
        startedAt: ago(3699),
        endedAt: ago(3690),
        evidence: LOST,
      },
      { workerId: 'ry-9f8e7d6c5b4a3210-001', startedAt: ago(3680), enteredAt: ago(3679), endedAt: ago(3600) },
    ],
    events: [],
  },
  [`/runyard/v1/jobs/${WAITING}`]: { ...JOBS[0], attempts: [], events: [] },
  [`/runyard/v1/explain/${WAITING}`]: { ...EXPLANATION, endpoint: UPSCALE, job: { id: WAITING, status: 'IN_QUEUE' } },
  '/runyard/v1/logs': findLines,
  '/v2/serverless/k2j4h5g6f7d8s9/events': findEvents,
  '/v2/serverless/a1b2c3d4e5f6g7/events': {
    events: [
      {
        at: ago(84),
        endpointId: UPSCALE.id,
        kind: 'worker_throttled',
        workerId: 'throttled-1',
        reason: 'no_matching_gpu',
        message: REFUSAL,
      },
    ],
  },
  '/runyard/v1/explain/k2j4h5g6f7d8s9': EXPLANATION,
  '/hapi/v1/pod/ry-9f8e7d6c5b4a3210-001/logs': { system: ['start container'], container: ['2026-11-30 the picture has no pixels'] },
  '/runyard/v1/standby': { hosts: [{ host: 'gpu-box-2', waiting: 1, problem: 'the image is not there' }] },
  ...SMALL_LISTS,
}
