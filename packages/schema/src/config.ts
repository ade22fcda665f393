// Defines every setting once: type, validation, default, help; names contain units. `workerPlane.port` is also RUNYARD_WORKER_PLANE_PORT.
import { z } from 'zod'
import { AppsConfig, TasksConfig } from './app-config.ts'
import { ModelsConfig } from './cached-model.ts'
import { GpuTypeConfig } from './gpu-type-config.ts'
import { Hosts, SimulatedGpusText } from './host-config.ts'
import { IMAGE_SETTINGS, ImagesConfig, ReleasesConfig } from './image-config.ts'
import { CorsConfig, LoadBalancingConfig, TlsConfig } from './load-balancing-config.ts'
import { HistoryConfig, RetentionConfig } from './retention-config.ts'
import { NotifyConfig } from './notice.ts'
import { PricesConfig } from './price-config.ts'
import { keepDays, keepS, text, waitS } from './setting-kinds.ts'
import { TracesConfig } from './trace-config.ts'
import { DEFAULT_BILLED_STATES } from './usage.ts'
import { BillingState } from './wire-words.ts'

/** `z.coerce.boolean` would read the word "false" as true. */
const flag = z.union([z.boolean(), z.stringbool()], { error: 'allowed is true or false' })
/** Separated by commas in a variable. */
const networks = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((network) => network.trim()) : value),
  z.array(z.union([z.cidrv4(), z.cidrv6()])).min(1),
)
const most = (count: number, help: string) => z.coerce.number().int().min(1).default(count).describe(help)
const unlessZero = (help: string) => z.coerce.number().int().min(0).default(0).describe(`${help}; 0: no limit`)
const port = z.coerce.number().int().min(0).max(65_535)

/** Loopback, RFC 1918, and what IPv6 has for the same. */
const PRIVATE_NETWORKS = ['127.0.0.0/8', '::1', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10']

/** Without a preset, an operation without a setting has no limit. */
function callLimits(unit: string) {
  const limit = (operations: string) => z.coerce.number().int().min(0).optional().describe(`${unit} on ${operations}; 0: no limit`)
  return {
    run: limit('/run'),
    runsync: limit('/runsync'),
    status: limit('/status, /status-sync and /stream together'),
    cancel: limit('/cancel'),
    retry: limit('/retry'),
    purgeQueue: limit('/purge-queue'),
    requests: limit('/requests'),
    health: limit('/health and /metrics of an endpoint together'),
    openai: limit('/openai/*'),
  }
}

export const Config = z.object({
  listen: z
    .object({
      host: text().default('127.0.0.1').describe('address of the public listener; anything but loopback needs keys'),
      port: port.default(8080).describe('port of the public listener; 0 picks a free one'),
      basePath: z
        .string()
        .regex(/^(?:\/[A-Za-z0-9._~-]+)*$/u, 'must begin with a slash and not end with one, e.g. /yard')
        .default('')
        .describe('path below which a proxy serves Runyard, e.g. /yard; a proxy that sends X-Forwarded-Prefix needs no setting'),
      names: z
        .array(z.string())
        .default([])
        .describe('names by which browsers reach a listener on loopback through a proxy; with others no one can sign in'),
      trustedProxies: z
        .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an address or a network such as 10.0.0.0/8'))
        .default([...PRIVATE_NETWORKS])
        .describe(
          'addresses and networks of proxies whose X-Forwarded-Host, -Proto and -Prefix count; default: this machine and private networks',
        ),
    })
    .prefault({}),
  workerPlane: z
    .object({
      host: text().default('127.0.0.1').describe('address that workers reach, e.g. the gateway address of the Docker network `runyard`'),
      port: port
        .default(8081)
        .describe('port of the worker plane; 0 picks a free one, and so does `up` if it is not set and 8081 is in use'),
      url: text().optional().describe('URL that workers use, if it differs from host and port'),
    })
    .prefault({}),
  dataDir: text().optional().describe('directory of state, keys and Redis files (default: XDG state home)'),
  redis: z
    .object({
      url: text()
        .refine((url) => !url.includes('://') || /^rediss?:/i.test(url), 'must begin with redis:// or rediss://')
        .optional()
        .describe('REDIS_URL also sets this; without it Runyard runs its own Redis. Your own Redis needs `appendonly yes`'),
      appendfsync: z.enum(['everysec', 'always']).default('everysec').describe('how soon an accepted job is on disk'),
      maxMemoryBytes: z.coerce
        .number()
        .int()
        .min(64 * 1024 * 1024)
        .optional()
        .describe(
          'memory limit of Runyard’s own Redis; beyond it jobs are rejected with 503 (default: 40 % of the machine, at least 256 MiB)',
        ),
    })
    .prefault({}),
  hosts: Hosts.optional().describe('default: the local Docker engine if it responds, else the process host'),
  hostGraceS: waitS()
    .default(120)
    .describe('a host that does not answer is unknown for this long; then its silent workers are lost and their jobs run elsewhere'),
  simulatedGpus: SimulatedGpusText.optional().describe(
    'simulated GPUs, e.g. "NVIDIA GeForce RTX 4090:2,NVIDIA L4:1"; no device is attached',
  ),
  gpuTypes: z
    .record(z.string().min(1), GpuTypeConfig)
    .default({})
    .describe('GPU name as nvidia-smi prints it → pool (null: none), memoryGb, displayName, maxCount; adds or changes GPU types'),
  defaultImage: text().default('runyard/worker:latest').describe('worker image that replaces runpod/flash and runpod/queue'),
  ...IMAGE_SETTINGS,
  images: ImagesConfig.prefault({}),
  releases: ReleasesConfig.prefault({}),
  apps: AppsConfig.prefault({}),
  tasks: TasksConfig.prefault({}),
  models: ModelsConfig.prefault({}),
  imageAliases: z.record(z.string(), z.string()).default({}).describe('image name as clients send it (no tag) → your image'),
  runtimes: z
    .record(z.string(), z.string())
    .default({})
    .describe('id of an endpoint, or * for all others → container runtime of its workers, e.g. runsc (gVisor); default: the engine’s own'),
  caBundle: text().optional().describe('extra CA bundle for workers (default: what SSL_CERT_FILE names)'),
  lease: z
    .object({
      durationS: waitS().default(40).describe('a job whose worker does not report for this long is taken back'),
      pingIntervalS: waitS().default(10).describe('how often a worker pings'),
      budget: z.coerce.number().int().min(0).default(2).describe('how often a job is retried after a lost worker'),
    })
    .prefault({}),
  initTimeoutS: waitS()
    .default(420)
    .describe('a worker that is not ready by then is unhealthy (RUNPOD_INIT_TIMEOUT in its environment overrides this)'),
  retention: RetentionConfig.prefault({}),
  history: HistoryConfig.prefault({}),
  holds: z
    .object({
      runsyncS: z.coerce
        .number()
        .min(1)
        .max(300)
        .default(90)
        .describe('how long /runsync and /status-sync wait if the request has no wait'),
      streamS: z.coerce
        .number()
        .min(1)
        .max(9)
        .default(6)
        .describe('how long an empty /stream poll is held; Python gives up on a GET after 10 s'),
      openaiSilenceS: waitS()
        .default(45)
        .describe('how long a streamed OpenAI response may start without a byte; after that, comments keep clients and proxies waiting'),
    })
    .prefault({}),
  idempotencyWindowS: keepS()
    .default(24 * 60 * 60)
    .describe('how long the Idempotency-Key of a /run or /runsync refers to its job'),
  blobs: z
    .object({
      thresholdBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(256 * 1024)
        .describe('inputs, outputs, progress and stream chunks larger than this are stored in the blob store instead of Redis'),
      directory: text().optional().describe('directory of large values (default: blobs/ in the data directory); gateways share it'),
      s3: z
        .object({
          bucket: text().optional().describe('existing bucket for large values, instead of a directory'),
          endpoint: z.url().optional().describe('URL of the S3-compatible server (default: AWS in that region)'),
          region: text().default('us-east-1').describe('region that requests are signed for'),
          accessKeyId: text().optional().describe('id of the access key'),
          secretAccessKey: text().optional().describe('secret of the access key; never printed'),
          prefix: z.string().default('').describe('folder inside the bucket'),
          forcePathStyle: flag.default(true).describe('https://host/bucket/… instead of https://bucket.host/…'),
        })
        .prefault({}),
    })
    .prefault({}),
  limits: z
    .object({
      runBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(10 * 1024 * 1024)
        .describe('largest /run body'),
      runsyncBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(20 * 1024 * 1024)
        .describe('largest /runsync body'),
      resultBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(64 * 1024 * 1024)
        .describe('largest result a worker may post'),
      queueJobs: most(250_000, 'waiting jobs of one endpoint; beyond it the response is 429 with Retry-After'),
      queueBytes: most(
        1024 * 1024 * 1024,
        'size in Redis of one endpoint’s waiting and running jobs and drafts of batches; beyond it the response is 429',
      ),
      idempotencyKeys: most(1_000_000, 'idempotency keys of one endpoint, some 400 bytes of Redis each; beyond it the response is 429'),
      streamBytes: most(256 * 1024 * 1024, 'total size of the chunks of one attempt of a job; beyond it the job is FAILED'),
      unreadBytes: most(
        1024 * 1024 * 1024,
        'size in Redis of the unread chunks of an endpoint’s running jobs; beyond it a streaming job with more than its share is FAILED',
      ),
      workerBytesPerS: z.coerce
        .number()
        .int()
        .min(1)
        .default(64 * 1024 * 1024)
        .describe('bytes that one worker may post per second, after a burst of limits.resultBytes; beyond it its next post waits'),
      connections: z.coerce
        .number()
        .int()
        .min(1)
        .default(10_000)
        .describe('open connections of each listener; beyond it idle ones are closed, and if none is idle the response is 503'),
      workerPids: most(4096, 'processes and threads of one worker container'),
      workersPerEndpoint: z.coerce.number().int().min(1).max(100_000).default(1000).describe('largest maximum of workers of one endpoint'),
      workersPerOwner: unlessZero('maximum sum of the worker maxima of all endpoints of one owner'),
      workersPerKey: unlessZero('workers of all endpoints that one API key created, unless the key has a limit of its own'),
      queuedJobsPerKey: unlessZero(
        'waiting and running jobs of one API key on one endpoint, unless the key has a limit of its own; beyond it the response is 429',
      ),
    })
    .prefault({}),
  rateLimits: z
    .object({
      preset: z.enum(['off', 'runpod']).default('off').describe('runpod: Runpod’s own numbers; the settings below override the preset'),
      ...callLimits('requests in 10 s per key and endpoint'),
      concurrent: z.object(callLimits('requests that one key may have open at once per endpoint')).prefault({}),
    })
    .prefault({}),
  loadBalancing: LoadBalancingConfig.prefault({}),
  tls: TlsConfig.prefault({}),
  cors: CorsConfig.prefault({}),
  webhooks: z
    .object({
      allowPrivate: z
        .union([flag, networks], { error: 'allowed is true, false, or networks such as 10.0.0.0/8,192.168.1.0/24' })
        .default(false)
        .describe(
          'private addresses that webhooks may go to: true, or networks such as 10.0.0.0/8,192.168.1.0/24; metadata services never',
        ),
      timeoutS: waitS(0.1).default(10).describe('how long one attempt may take'),
      retryDelaysS: z.array(waitS(0)).default([10, 10, 300, 1800, 7200, 21_600]).describe('pauses between attempts; the last one repeats'),
      maxAgeS: keepS()
        .default(86_400)
        .describe('maximum time between the end of the job and an attempt, even the first one; 60 is Runpod’s value'),
      outboxEvents: most(100_000, 'webhooks of one endpoint that wait or are kept for a retry; beyond it the oldest are dropped'),
      outboxBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(256 * 1024 * 1024)
        .describe('maximum size of these webhooks in Redis'),
    })
    .prefault({}),
  billing: z
    .object({
      states: z
        .array(BillingState)
        .default([...DEFAULT_BILLED_STATES])
        .describe('worker states that are billed'),
      keepIntervalsDays: keepDays(1)
        .int()
        .default(90)
        .describe('how many days the intervals of workers are kept; older ones are added up by UTC day'),
    })
    .prefault({}),
  notify: z
    .array(NotifyConfig)
    .default([])
    .describe('receivers of notices: url, and on: which events (default: all); they get signed webhooks when something needs a person'),
  prices: PricesConfig.prefault({}),
  traces: TracesConfig.prefault({}),
  metrics: z
    .object({
      open: z
        .enum(['auto', 'always', 'never'])
        .default('auto')
        .describe('who may read /metrics without a key; auto: clients on this machine without a proxy, if listen.host is loopback'),
    })
    .prefault({}),
  log: z
    .object({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe('log level'),
    })
    .prefault({}),
})
export type Config = z.infer<typeof Config>
