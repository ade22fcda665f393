// Reads the worker's environment (worker-api §2.1) into one record. A missing URL or token is an error of one sentence, because the agent cannot
// work without it. The placeholders `$ID` (take) and `$RUNPOD_POD_ID` are replaced by the worker's id, as in the SDK.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import root from '../../../package.json' with { type: 'json' }

export const ENVELOPES = ['flash', 'json', 'task', 'deployed-flash', 'deployed-sdk2'] as const
export type EnvelopeName = (typeof ENVELOPES)[number]

/** The worker runs the code of an unpacked build, not source that comes with each job. */
export const isDeployed = (envelope: EnvelopeName | undefined): boolean => envelope?.startsWith('deployed-') === true

export interface Settings {
  readonly version: string
  readonly workerId: string
  readonly endpointId: string
  readonly token: string
  readonly takeUrl: string
  readonly stopUrl: string | undefined
  /** `$ID` in these is replaced by the job's id. */
  readonly doneUrl: string
  readonly streamUrl: string | undefined
  readonly pingUrl: string | undefined
  readonly pingIntervalMs: number
  /** Undefined: detected for each job. */
  readonly envelope: EnvelopeName | undefined
  /** The most jobs at a time. The app decides whether it uses them (ADR 75). */
  readonly slots: number
  readonly memoryBytes: number | undefined
  /** The process host's private directory of this worker; undefined in a container. */
  readonly scratchDir: string | undefined
  readonly python: string | undefined
  /** Modules are imported before the first fork (RUNYARD_PRELOAD, read by the supervisor). */
  readonly preloads: boolean
  readonly runnerDir: string
  readonly vendorDir: string
  /** Undefined: it takes jobs. */
  readonly serves: Serving | undefined
}

/** The HTTP server of a load-balanced endpoint (management §11). */
export interface Serving {
  readonly tunnelUrl: string
  /** As the endpoint declares it. */
  readonly port: number
  readonly healthPort: number
  readonly healthPath: string
  /** The image's own command; undefined: the runner serves. */
  readonly command: readonly string[] | undefined
  /** How long the image's own server may be silent before it is ready. */
  readonly readyWithinMs: number
}

type Env = Readonly<Record<string, string | undefined>>

/** Without the worker protocol's variables, because they contain this worker's token. */
export function toRunnerEnv(env: Env, runtimeDir: string): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !entry[0].startsWith('RUNPOD_WEBHOOK_') && entry[0] !== 'RUNPOD_AI_API_KEY',
  )
  return { ...Object.fromEntries(kept), ...trustPlane(env, runtimeDir), RUNYARD_RUNTIME_DIR: runtimeDir }
}

const SYSTEM_BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']
/** A client reads one of these instead of the system's authorities. */
const BUNDLE_VARIABLES = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'] as const

/** Calls to load-balanced endpoints go to the worker plane by https (ADR 87). A client reads one file, which so holds what each client trusted before. */
function trustPlane(env: Env, runtimeDir: string): Record<string, string> {
  const authority = env.RUNYARD_AUTHORITY
  if (!authority) return {}
  const isFile = (path: string | undefined): path is string => path !== undefined && existsSync(path)
  const given = BUNDLE_VARIABLES.map((name) => env[name]).filter(isFile)
  const system = given.length === BUNDLE_VARIABLES.length ? '' : (SYSTEM_BUNDLES.find(isFile) ?? 'node')
  const files = [...given, system, env.NODE_EXTRA_CA_CERTS].filter(isFile)
  const texts = [...new Set(files)].map((file) => readFileSync(file, 'utf8'))
  const path = join(runtimeDir, 'authorities.pem')
  mkdirSync(runtimeDir, { recursive: true, mode: 0o700 })
  writeFileSync(path, [...texts, ...(system === 'node' ? ownAuthorities() : []), authority].join('\n'))
  return { SSL_CERT_FILE: path, REQUESTS_CA_BUNDLE: path, CURL_CA_BUNDLE: path, NODE_EXTRA_CA_CERTS: path }
}

/** Not imported: as a module it reads each of its exports, and this one takes 8 ms of a cold start. */
const ownAuthorities = (): readonly string[] => process.getBuiltinModule('node:tls').rootCertificates

/** @throws Error with one sentence naming the variable that is missing. */
export function readSettings(env: Env): Settings {
  const workerId = required(env, 'RUNPOD_POD_ID')
  const withWorker = (url: string) => url.replaceAll('$RUNPOD_POD_ID', workerId)
  const takeUrl = withWorker(required(env, 'RUNPOD_WEBHOOK_GET_JOB')).replaceAll('$ID', workerId)
  return {
    version: root.version,
    workerId,
    endpointId: env.RUNPOD_ENDPOINT_ID ?? '',
    token: env.RUNPOD_AI_API_KEY ?? '',
    takeUrl,
    stopUrl: takeUrl.includes('/job-take/') ? takeUrl.replace('/job-take/', '/job-stop/') : undefined,
    doneUrl: withWorker(required(env, 'RUNPOD_WEBHOOK_POST_OUTPUT')),
    streamUrl: optional(env.RUNPOD_WEBHOOK_POST_STREAM, withWorker),
    pingUrl: optional(env.RUNPOD_WEBHOOK_PING, withWorker),
    pingIntervalMs: toPingInterval(env.RUNPOD_PING_INTERVAL),
    ...readEnvelope(env),
    memoryBytes: Number(env.RUNYARD_MEMORY_BYTES) > 0 ? Number(env.RUNYARD_MEMORY_BYTES) : undefined,
    scratchDir: env.RUNYARD_SCRATCH_DIR || undefined,
    python: env.RUNYARD_PYTHON || undefined,
    preloads: (env.RUNYARD_PRELOAD ?? '') !== '',
    ...findRunner(),
    serves: env.RUNYARD_SERVES === 'http' ? readServing(env, takeUrl) : undefined,
  }
}

/** As Runpod keeps a worker whose port does not answer (management §11). */
const READY_WITHIN_MS = 8 * 60_000

/** As runner/runyard_runner/deployed.py reads it. */
const MOST_SLOTS = 100

function readEnvelope(env: Env): Pick<Settings, 'envelope' | 'slots'> {
  const envelope = ENVELOPES.find((name) => name === env.RUNYARD_ENVELOPE)
  const wanted = /^\d+$/.test(env.RUNPOD_MAX_CONCURRENCY?.trim() ?? '') ? Number(env.RUNPOD_MAX_CONCURRENCY) : 1
  return { envelope, slots: isDeployed(envelope) ? Math.min(MOST_SLOTS, Math.max(1, wanted)) : 1 }
}

function readServing(env: Env, takeUrl: string): Serving {
  const port = toPort(env.PORT) ?? 80
  const command: unknown = env.RUNYARD_COMMAND === undefined ? undefined : JSON.parse(env.RUNYARD_COMMAND)
  return {
    tunnelUrl: takeUrl.replace('/job-take/', '/tunnel/').replace(/\?.*$/, ''),
    port,
    healthPort: toPort(env.PORT_HEALTH) ?? port,
    healthPath: env.HEALTH_CHECK_PATH || '/ping',
    command: Array.isArray(command) ? command.map(String) : undefined,
    readyWithinMs: Number(env.RUNYARD_READY_WITHIN_S) > 0 ? Number(env.RUNYARD_READY_WITHIN_S) * 1000 : READY_WITHIN_MS,
  }
}

function toPort(text: string | undefined): number | undefined {
  const port = Number(text)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

function required(env: Env, name: string): string {
  const value = env[name]
  if (!value) throw new Error(`${name} is not set: Runyard's scaler, which starts the agent, sets it`)
  return value
}

function optional<T>(value: string | undefined, map: (value: string) => T): T | undefined {
  return value ? map(value) : undefined
}

/** Milliseconds (worker-api §2.1); a value below one second is replaced by the default. */
function toPingInterval(text: string | undefined): number {
  const value = Number(text)
  return Number.isFinite(value) && value >= 1000 ? value : 10_000
}

/** Next to the bundle, or one level up if the agent runs from source. */
export function findRunner(): { runnerDir: string; vendorDir: string } {
  const here = dirname(fileURLToPath(import.meta.url))
  const beside = join(here, 'runner')
  if (existsSync(beside)) return { runnerDir: beside, vendorDir: join(beside, 'vendor') }
  return { runnerDir: join(here, '..', 'runner'), vendorDir: join(here, '..', 'dist', 'runner', 'vendor') }
}

export const NO_PYTHON = 'this worker’s image has no Python: neither python3 nor python is on its PATH, and RUNYARD_PYTHON is not set'

/** The Python that runs the function: RUNYARD_PYTHON, else python3, else python on the PATH. */
export function findPython(configured: string | undefined, path: string): string | undefined {
  if (configured !== undefined) return configured
  const directories = path.split(delimiter).filter((directory) => directory !== '')
  for (const name of ['python3', 'python']) {
    const found = directories.map((directory) => join(directory, name)).find((file) => isExecutable(file))
    if (found !== undefined) return found
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

interface Unheeded {
  readonly name: string
  readonly why: string
  /** Values without an effect. An empty value never has one. */
  readonly harmless?: RegExp
}

/** A deployed app's `max_concurrency`; the runner says what of it has an effect. */
const LIVE = 'a worker that runs the source of each job runs one job at a time; more workers (workersMax) run more jobs at once'
const DEPLOYED = 'this worker has no build of a deployed app; it runs the source that comes with each job'
const NO_FITNESS = 'fitness checks are the SDK’s, and this agent runs none'

const UNHEEDED: readonly Unheeded[] = [
  { name: 'RUNPOD_MAX_CONCURRENCY', harmless: /^[01]$/, why: LIVE },
  { name: 'RUNPOD_REALTIME_PORT', harmless: /^0$/, why: 'jobs come from the queue; this agent listens on no port' },
  { name: 'RUNPOD_REALTIME_CONCURRENCY', harmless: /^1$/, why: 'jobs come from the queue; this agent listens on no port' },
  { name: 'RUNPOD_RUNTIME_KIND', harmless: /^queue$/, why: 'this agent serves queues alone, no api and no task' },
  { name: 'RUNPOD_RESOURCE_NAME', why: DEPLOYED },
  { name: 'RUNPOD_PREBUILT_APP_DIR', why: DEPLOYED },
  { name: 'FLASH_RESOURCE_NAME', why: DEPLOYED },
  { name: 'FLASH_ENDPOINT_TYPE', why: DEPLOYED },
  { name: 'FLASH_BUILD_ARTIFACT_PATH', why: DEPLOYED },
  { name: 'FLASH_IS_MOTHERSHIP', harmless: /^(false|0)$/i, why: DEPLOYED },
  { name: 'RUNPOD_MIN_MEMORY_GB', why: NO_FITNESS },
  { name: 'RUNPOD_MIN_DISK_PERCENT', why: NO_FITNESS },
  { name: 'RUNPOD_MIN_CUDA_VERSION', why: NO_FITNESS },
]

/** One sentence for each setting of the contracts (worker-api §2, sdk2-api §5) that has a value which this agent does not support. */
export function refuseUnheeded(
  env: Readonly<Record<string, string | undefined>>,
  settings: Pick<Settings, 'pingIntervalMs' | 'envelope'>,
): readonly string[] {
  const followed: readonly string[] = isDeployed(settings.envelope) ? [DEPLOYED, LIVE] : []
  const refused = UNHEEDED.flatMap(({ name, harmless, why }) => {
    if (followed.includes(why)) return []
    const value = env[name]?.trim() ?? ''
    return value === '' || harmless?.test(value) === true ? [] : [`${name}=${value} is not followed: ${why}`]
  })
  const interval = env.RUNPOD_PING_INTERVAL?.trim() ?? ''
  if (interval === '' || Number(interval) === settings.pingIntervalMs) return refused
  const text = `RUNPOD_PING_INTERVAL=${interval} is not followed: it must be 1000 milliseconds or more, so ${settings.pingIntervalMs} are used`
  return [...refused, text]
}
