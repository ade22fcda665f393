// Every setting, once: type, validation, default, help. Each key is also an environment variable
// (`workerPlane.port` = `RUNYARD_WORKER_PLANE_PORT`). Durations are in the unit that the name carries.
import { z } from 'zod'
import { Hosts } from './host-config.ts'
import { DEFAULT_BILLED_STATES } from './usage.ts'
import { BillingState } from './wire-words.ts'

/** `z.coerce.boolean` would take the word "false" for true. */
const flag = z.union([z.boolean(), z.stringbool()], { error: 'allowed is true or false' })
/** In a variable they stand with commas between them. */
const networks = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((network) => network.trim()) : value),
  z.array(z.union([z.cidrv4(), z.cidrv6()])).min(1),
)
const most = (count: number, help: string) => z.coerce.number().int().min(1).default(count).describe(help)
const port = z.coerce.number().int().min(0).max(65_535)

/** Without a preset, an operation that is not named has no limit. */
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
      host: z.string().default('127.0.0.1').describe('address of the public listener; anything but loopback needs keys'),
      port: port.default(8080).describe('port of the public listener; 0 picks a free one'),
    })
    .prefault({}),
  workerPlane: z
    .object({
      host: z.string().default('127.0.0.1').describe('address that workers reach, e.g. the gateway address of the Docker bridge'),
      port: port
        .default(8081)
        .describe('port of the worker plane; 0 picks a free one, and so does `up` where nothing is set and 8081 is taken'),
      url: z.string().optional().describe('the URL that workers are given, where it differs from host and port'),
    })
    .prefault({}),
  dataDir: z.string().optional().describe('where state, keys and Redis files live (default: XDG state home)'),
  redis: z
    .object({
      url: z
        .string()
        .optional()
        .describe('REDIS_URL also sets this; without it Runyard runs its own Redis. A Redis of yours needs `appendonly yes`'),
      appendfsync: z.enum(['everysec', 'always']).default('everysec').describe('how soon an accepted job is on disk'),
      maxMemoryBytes: z.coerce
        .number()
        .int()
        .min(64 * 1024 * 1024)
        .optional()
        .describe('what Runyard’s own Redis may use; beyond it jobs are refused with 503 (default: 40 % of the machine, at least 256 MiB)'),
    })
    .prefault({}),
  hosts: Hosts.optional().describe('default: the local Docker engine where it answers, else the process host'),
  simulatedGpus: z
    .string()
    .optional()
    .describe('declared cards for a machine without them, e.g. "NVIDIA GeForce RTX 4090:2,NVIDIA L4:1"; nothing is attached'),
  defaultImage: z
    .string()
    .default('runyard/worker:latest')
    .describe('the worker image that the runpod/flash and runpod/queue aliases name'),
  defaultImageBase: z
    .string()
    .optional()
    .describe('what runyard/worker is built on, best by digest, e.g. python:3.12-slim@sha256:…; default: python:3.12-slim, else Debian'),
  imageAliases: z.record(z.string(), z.string()).default({}).describe('image name as clients send it (no tag) → image of yours'),
  runtimes: z
    .record(z.string(), z.string())
    .default({})
    .describe('id of an endpoint, or * for all others → container runtime of its workers, e.g. runsc (gVisor); default: the engine’s own'),
  caBundle: z.string().optional().describe('extra CA bundle for workers (default: what SSL_CERT_FILE names)'),
  lease: z
    .object({
      durationS: z.coerce.number().min(1).default(40).describe('a job whose worker gives no sign for this long is taken back'),
      pingIntervalS: z.coerce.number().min(1).default(10).describe('how often a worker pings'),
      budget: z.coerce.number().int().min(0).default(2).describe('how often a job is run again after a lost worker'),
    })
    .prefault({}),
  initTimeoutS: z.coerce
    .number()
    .min(1)
    .default(420)
    .describe('a worker not ready by then is unhealthy (RUNPOD_INIT_TIMEOUT in its env wins)'),
  retention: z
    .object({
      asyncS: z.coerce.number().min(1).default(1800).describe('how long the result of a /run job is kept'),
      syncS: z.coerce.number().min(1).default(60).describe('how long the result of a /runsync job is kept'),
      batchS: z.coerce
        .number()
        .min(1)
        .default(86_400)
        .describe('how long a batch and its results are kept after its last request can have ended'),
      endpointBytes: z.coerce
        .number()
        .int()
        .min(0)
        .default(1024 * 1024 * 1024)
        .describe('what the kept results of one endpoint, with their unread chunks, may weigh in Redis; beyond it the oldest go first'),
      totalBytes: z.coerce
        .number()
        .int()
        .min(0)
        .default(4 * 1024 * 1024 * 1024)
        .describe('the same for all endpoints together; those with the most give room first'),
    })
    .prefault({}),
  holds: z
    .object({
      runsyncS: z.coerce.number().min(1).max(300).default(90).describe('how long /runsync and /status-sync wait where no wait is given'),
      streamS: z.coerce
        .number()
        .min(1)
        .max(9)
        .default(6)
        .describe('how long an empty /stream poll is held; Python gives up on a GET after 10 s'),
      openaiSilenceS: z.coerce
        .number()
        .min(1)
        .default(45)
        .describe('how long a streamed OpenAI answer may stay without a byte at first; then comments keep clients and proxies patient'),
    })
    .prefault({}),
  idempotencyWindowS: z.coerce
    .number()
    .min(1)
    .default(24 * 60 * 60)
    .describe('how long the Idempotency-Key of a /run or /runsync stands for its job'),
  blobs: z
    .object({
      thresholdBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(256 * 1024)
        .describe('inputs, outputs, progress and stream chunks larger than this leave Redis for the blob store'),
      directory: z.string().optional().describe('where large values live (default: blobs/ in the data directory); gateways share it'),
      s3: z
        .object({
          bucket: z.string().optional().describe('a bucket that exists; with it, large values live there and not in a directory'),
          endpoint: z.url().optional().describe('URL of the S3-compatible server (default: AWS in that region)'),
          region: z.string().default('us-east-1').describe('region that requests are signed for'),
          accessKeyId: z.string().optional().describe('who signs'),
          secretAccessKey: z.string().optional().describe('what is signed with; never printed'),
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
        .default(10 * 1024 * 1024)
        .describe('largest /run body'),
      runsyncBytes: z.coerce
        .number()
        .int()
        .default(20 * 1024 * 1024)
        .describe('largest /runsync body'),
      resultBytes: z.coerce
        .number()
        .int()
        .default(64 * 1024 * 1024)
        .describe('largest result a worker may post'),
      queueJobs: most(250_000, 'jobs of one endpoint that may wait; beyond it the answer is 429 with Retry-After'),
      queueBytes: most(
        1024 * 1024 * 1024,
        'what its waiting and running jobs and its drafts of batches may weigh in Redis; beyond it the answer is 429',
      ),
      idempotencyKeys: most(
        1_000_000,
        'idempotency keys that one endpoint remembers, some 400 bytes of Redis each; beyond it the answer is 429',
      ),
      streamBytes: most(256 * 1024 * 1024, 'what one attempt of a job may stream in chunks; beyond it the job is FAILED'),
      unreadBytes: most(
        1024 * 1024 * 1024,
        'what unread chunks of an endpoint’s running jobs may weigh in Redis; beyond it a job that streams with more than its share is FAILED',
      ),
      workerBytesPerS: z.coerce
        .number()
        .int()
        .min(1)
        .default(64 * 1024 * 1024)
        .describe('what one worker may post in a second, after a first limits.resultBytes; beyond it its next post waits'),
      connections: z.coerce
        .number()
        .int()
        .min(1)
        .default(10_000)
        .describe('open connections of each listener; beyond it idle ones are closed, and where none is idle the answer is 503'),
      workerPids: z.coerce.number().int().default(4096).describe('processes and threads of one worker container'),
      workersPerEndpoint: z.coerce.number().int().min(1).max(100_000).default(1000).describe('largest maximum of workers of one endpoint'),
      workersPerOwner: z.coerce
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('what the maxima of workers of all endpoints of one owner may sum up to; 0: no limit'),
    })
    .prefault({}),
  rateLimits: z
    .object({
      preset: z.enum(['off', 'runpod']).default('off').describe('runpod: Runpod’s own numbers; those below win over the preset'),
      ...callLimits('requests in 10 s per key and endpoint'),
      concurrent: z.object(callLimits('requests that one key may have open at once per endpoint')).prefault({}),
    })
    .prefault({}),
  cors: z
    .object({
      origins: z
        .array(z.string())
        .default([])
        .describe('web pages that may call the job plane from a browser, e.g. https://app.example.com, or * for all; default: none'),
    })
    .prefault({}),
  webhooks: z
    .object({
      allowPrivate: z
        .union([flag, networks], { error: 'allowed is true, false, or networks such as 10.0.0.0/8,192.168.1.0/24' })
        .default(false)
        .describe(
          'private addresses that webhooks may go to: true, or networks such as 10.0.0.0/8,192.168.1.0/24; metadata services never',
        ),
      timeoutS: z.coerce.number().min(0.1).default(10).describe('how long one attempt may take'),
      retryDelaysS: z
        .array(z.coerce.number().min(0))
        .default([10, 10, 300, 1800, 7200, 21_600])
        .describe('pauses between attempts; the last one repeats'),
      maxAgeS: z.coerce
        .number()
        .min(1)
        .default(86_400)
        .describe('no attempt later than this after the end of the job, not even a first one; 60 is what Runpod does'),
      outboxEvents: most(100_000, 'webhooks of one endpoint that may wait or be kept for another try; beyond it the oldest are dropped'),
      outboxBytes: z.coerce
        .number()
        .int()
        .min(1)
        .default(256 * 1024 * 1024)
        .describe('what they may weigh in Redis'),
    })
    .prefault({}),
  billing: z
    .object({
      states: z
        .array(BillingState)
        .default([...DEFAULT_BILLED_STATES])
        .describe('worker states that are billed'),
      keepIntervalsDays: most(90, 'how many days the single intervals of workers are kept; older ones are added up by UTC day'),
    })
    .prefault({}),
  metrics: z
    .object({
      open: z
        .enum(['auto', 'always', 'never'])
        .default('auto')
        .describe('who reads /metrics without a key: auto is clients of this machine that no proxy sent, while listen.host is loopback'),
    })
    .prefault({}),
  log: z
    .object({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe('how much is logged'),
    })
    .prefault({}),
})
export type Config = z.infer<typeof Config>
