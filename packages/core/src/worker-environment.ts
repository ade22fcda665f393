// The environment of a worker (worker-api §2). User variables override everything except the variables that the worker protocol needs.
import type { AttachedGpu, Endpoint, HostInventory, PlaneName } from '@runyard/schema'
import { poolOf } from './gpu-catalogue.ts'
import type { Envelope } from './image-reference.ts'

export interface WorkerEnvironmentOptions {
  readonly endpoint: Pick<Endpoint, 'id' | 'spec'> & Partial<Pick<Endpoint, 'type' | 'savedBy'>>
  readonly workerId: string
  /** Base URL of the worker plane as this worker reaches it, without a slash at the end. */
  readonly planeUrl: string
  /** How calls to load-balanced endpoints reach the worker plane; absent: they do not. */
  readonly nested?: NestedCalls | undefined
  /** Bearer token of this worker. */
  readonly token: string
  /** For its code, unless its endpoint has one; absent: none. */
  readonly apiKey?: string | undefined
  readonly gpus: readonly AttachedGpu[]
  /** Limits of the worker; undefined = no limit, the host's size is reported. */
  readonly cpus: number | undefined
  readonly memoryBytes: number | undefined
  readonly host: Pick<HostInventory, 'cpuCount' | 'memoryBytes'>
  readonly envelope: Envelope | null
  readonly pingIntervalMs: number
  /** Path of the CA bundle inside the worker; undefined = none. */
  readonly caBundle: string | undefined
  /** How long an installer may take; absent: five minutes. */
  readonly dependencyLimitS?: number | undefined
  /** Modules that the agent imports before the first job; absent: none. */
  readonly preload?: readonly string[] | undefined
}

/** ADR 87. */
export interface NestedCalls {
  /** Names of the worker plane inside this worker. */
  readonly name: PlaneName
  /** The authority of the worker plane's certificate, as PEM text. */
  readonly authority: string
}

export function workerEnvironment(options: WorkerEnvironmentOptions): Readonly<Record<string, string>> {
  return {
    ...machineVariables(options),
    ...clientVariables(options.planeUrl),
    ...nestedVariables(options),
    ...(options.caBundle === undefined ? {} : caVariables(options.caBundle)),
    // worker-api §2.2: DEBUG prints every output twice; the network check needs the open internet.
    RUNPOD_DEBUG_LEVEL: 'INFO',
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
    ...preloadVariable(options.preload),
    ...(options.dependencyLimitS === undefined ? {} : { RUNYARD_DEPENDENCY_LIMIT_S: String(options.dependencyLimitS) }),
    ...callerVariable(options),
    ...portVariables(options.endpoint),
    ...(options.apiKey === undefined ? {} : { RUNPOD_API_KEY: options.apiKey }),
    ...options.endpoint.spec.env,
    ...pastProxies(options),
    ...protocolVariables(options),
  }
}

/** Live calls do not name the Python that pickled their values; the client that saved the endpoint did, in its User-Agent (flash-api §1.2, sdk2-api §1.5). */
function callerVariable({ endpoint: { savedBy = '' }, envelope }: WorkerEnvironmentOptions): Record<string, string> {
  const [agent = ''] = savedBy.split(' with the key ')
  const version = /\bPython[ /](\d+\.\d+[\w.]{0,20})/u.exec(agent)?.[1]
  const isLive = envelope !== null && !envelope.startsWith('deployed-')
  return isLive && version !== undefined ? { RUNYARD_CLIENT_PYTHON: version } : {}
}

/** Where the server of a load-balanced endpoint listens unless its template says otherwise (management §11). */
function portVariables({ type, spec }: WorkerEnvironmentOptions['endpoint']): Record<string, string> {
  return type === 'LOAD_BALANCER' ? { PORT: '80', PORT_HEALTH: spec.env['PORT'] ?? '80' } : {}
}

export function preloadVariable(modules: readonly string[] = []): Record<string, string> {
  return modules.length === 0 ? {} : { RUNYARD_PRELOAD: modules.join(',') }
}

/** Only the SDK's heartbeat would use the user's proxy, and get lost if the proxy cannot reach us (worker-api §2.3). */
function pastProxies({ endpoint, planeUrl, nested }: WorkerEnvironmentOptions): Record<string, string> {
  const { env } = endpoint.spec
  if (!Object.keys(env).some((name) => /^(?:https?|all)_proxy$/i.test(name))) return {}
  const own = [planeUrl.replace(/^\w+:\/\/|:\d+$/g, ''), nested?.name]
  const noProxy = [env['no_proxy'] ?? env['NO_PROXY'], ...own].filter(Boolean).join(',')
  return { NO_PROXY: noProxy, no_proxy: noProxy }
}

/** worker-api §2.1. The worker's id is filled in here; the worker replaces `$ID` with the job's id. */
function protocolVariables(options: WorkerEnvironmentOptions): Record<string, string> {
  const { endpoint, workerId, planeUrl } = options
  const base = `${planeUrl}/v2/${endpoint.id}`
  // The SDK appends further parameters with `&`, so there must be a query string even without a GPU.
  const query = `gpu=${gpuQuery(options.gpus)}`
  return {
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/${workerId}?${query}`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/${workerId}/$ID?${query}`,
    RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/${workerId}/$ID?${query}`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/${workerId}?${query}`,
    RUNPOD_AI_API_KEY: options.token,
    RUNPOD_POD_ID: workerId,
    RUNPOD_ENDPOINT_ID: endpoint.id,
    // Below 1000 the SDK's heartbeat process exits at once (worker-api §2.1).
    RUNPOD_PING_INTERVAL: String(Math.max(1000, Math.round(options.pingIntervalMs))),
    ...(options.envelope === null ? {} : { RUNYARD_ENVELOPE: options.envelope }),
    ...(endpoint.type === 'LOAD_BALANCER' ? { RUNYARD_SERVES: 'http' } : {}),
    ...(options.memoryBytes === undefined ? {} : { RUNYARD_MEMORY_BYTES: String(options.memoryBytes) }),
  }
}

function gpuQuery(gpus: readonly AttachedGpu[]): string {
  return encodeName(gpus[0]?.name ?? 'CPU')
}

/** `NVIDIA+A40`: form encoding, as Runpod writes it (worker-api §2.4). */
function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll('%20', '+')
}

/** worker-api §2.4. */
function machineVariables(options: WorkerEnvironmentOptions): Record<string, string> {
  const [gpu] = options.gpus
  const pool = gpu === undefined ? null : poolOf(gpu)
  const memoryBytes = options.memoryBytes ?? options.host.memoryBytes
  return {
    RUNPOD_POD_HOSTNAME: options.workerId,
    RUNPOD_CPU_COUNT: String(options.cpus ?? options.host.cpuCount),
    RUNPOD_MEM_GB: String(Math.max(1, Math.floor(memoryBytes / 1e9))),
    RUNPOD_GPU_COUNT: String(options.gpus.length),
    ...(gpu === undefined ? {} : { RUNPOD_GPU_NAME: encodeName(gpu.name) }),
    ...(pool === null ? {} : { RUNPOD_GPU_SIZE: pool }),
    ...(gpu?.simulated === true ? { RUNPOD_SKIP_GPU_CHECK: 'true', RUNYARD_SIMULATED_GPU: 'true' } : {}),
  }
}

/** Lets functions call functions: the client half of the SDKs talks to the worker plane (flash-api §8.2, §1.1). */
function clientVariables(planeUrl: string): Record<string, string> {
  return {
    RUNPOD_ENDPOINT_BASE_URL: `${planeUrl}/v2`,
    RUNPOD_API_BASE_URL: planeUrl,
    RUNPOD_REST_API_URL: `${planeUrl}/v1`,
    RUNPOD_HAPI_URL: `${planeUrl}/hapi`,
    RUNPOD_CONSOLE_URL: planeUrl,
  }
}

/** The address in a plane's URL that a name can stand for; undefined: the URL has a name of its own, or TLS. */
export function planeAddressOf(planeUrl: string): string | undefined {
  return /^http:\/\/(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(planeUrl)?.[1]
}

/** Undefined: the name does not lead to the plane at this URL, or no certificate is signed for it. */
export function nestedCalls(name: PlaneName, planeUrl: string, authority: string | undefined): NestedCalls | undefined {
  const address = planeAddressOf(planeUrl)
  const leads = name === 'runyard.localhost' ? address === '127.0.0.1' : address !== undefined
  return leads && authority !== undefined ? { name, authority } : undefined
}

/** The SDKs call `https://flash.<host and port of this URL>`, and jobs at the URL itself, by plain HTTP. */
function nestedVariables({ planeUrl, nested }: WorkerEnvironmentOptions): Record<string, string> {
  if (nested === undefined) return {}
  const { name, authority } = nested
  // Without an address no calls are nested (`nestedCalls`).
  const base = planeUrl.replace(String(planeAddressOf(planeUrl)), name)
  return { RUNPOD_ENDPOINT_BASE_URL: `${base}/v2`, RUNPOD_URL_MIXED_OK: '1', RUNYARD_PLANE_NAME: name, RUNYARD_AUTHORITY: authority }
}

export function caVariables(path: string): Record<string, string> {
  return {
    SSL_CERT_FILE: path,
    REQUESTS_CA_BUNDLE: path,
    CURL_CA_BUNDLE: path,
    PIP_CERT: path,
    NODE_EXTRA_CA_CERTS: path,
    // boto3, which the SDK uses for uploads to buckets, and git read none of the variables above.
    AWS_CA_BUNDLE: path,
    GIT_SSL_CAINFO: path,
    // uv uses its own root certificates by default. This makes it use the platform's, which SSL_CERT_FILE then names.
    UV_NATIVE_TLS: 'true',
  }
}

/** Where workers reach the worker plane. The operator's URL takes precedence over the address on which the gateway listens. */
export interface PlaneSettings {
  /** The address on which the gateway listens for workers. */
  readonly host: string
  readonly port: number
  readonly url?: string | undefined
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** True for an address that is only for listening, not for connecting. */
export const isWildcardAddress = (host: string): boolean => WILDCARDS.has(host)

/** `address`: this machine's address for workers of one host. The result has no trailing slash, because clients append to it. */
export function planeUrlOf({ host, port, url }: PlaneSettings, address: string): string {
  return (url ?? `http://${inUrl(isWildcardAddress(host) ? address : host)}:${port}`).replace(/\/+$/, '')
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
