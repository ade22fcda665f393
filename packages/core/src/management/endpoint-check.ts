// Which endpoints make sense. Each refusal is one sentence that names the value and what would be right; the same rules hold for
// every dialect (management §3.2, §6.2; flash-api §9).
import { resolveCpu } from '../cpu-request.ts'
import { gpuBudgetProblem } from '../gpu-budget.ts'
import { formatGpuIds, parseGpuIds } from '../gpu-request.ts'
import { imageProblem } from '../image-reference.ts'
import { startCommandOf } from '../start-command.ts'
import type { Endpoint, EndpointSettings, EndpointSpec, GpuRequest, Template, TemplateContainer } from '@runyard/schema'
import { quoted, RECORD_LIMITS, RunyardError } from '@runyard/schema'
import { containerSizeProblem, echoSizeProblem, nameProblem, notesSizeProblem, placementSizeProblem } from './record-sizes.ts'
import { secretReferenceProblem } from './secrets.ts'

const MAX_IDLE_TIMEOUT_MS = 3600 * 1000
const MAX_EXECUTION_TIMEOUT_MS = 7 * 24 * 3600 * 1000
const CUDA_VERSION = /^\d{1,4}\.\d{1,4}$/u
/** One day: no job waits longer for a worker to be added. */
const MAX_SCALER_VALUE = 86_400

/** @throws RunyardError('bad_request') with the first thing that is wrong. */
export function checkEndpoint(endpoint: Endpoint): void {
  const problem =
    nameProblem('an endpoint', endpoint.name) ??
    nameProblem('a template', endpoint.templateName) ??
    echoSizeProblem(endpoint) ??
    specProblem(endpoint.spec) ??
    settingsProblem(endpoint.settings) ??
    scalerProblem(endpoint)
  if (problem !== undefined) throw new RunyardError('bad_request', problem)
}

/** @throws RunyardError('bad_request'), and 'unprocessable' for a volume that no worker of an endpoint would have (management §2.2). */
export function checkTemplate({ name, container, notes }: Template): void {
  const problem = nameProblem('a template', name) ?? containerProblem('A template', container) ?? notesSizeProblem(notes)
  if (problem !== undefined) throw new RunyardError('bad_request', problem)
  if (notes.isServerless && notes.volumeGb > 0)
    throw new RunyardError('unprocessable', `A serverless template has no volume of its own; ${notes.volumeGb} GB was given.`)
}

function specProblem(spec: EndpointSpec): string | undefined {
  return containerProblem('An endpoint', spec) ?? placementSizeProblem(spec) ?? hardwareProblem(spec) ?? gpuBudgetProblem(spec)
}

/** The grammar of command lines is core's; it throws its own sentence. */
function containerProblem(who: string, spec: TemplateContainer): string | undefined {
  if (spec.image === '') return `${who} needs a container image (imageName).`
  const problem = imageProblem(spec.image) ?? containerSizeProblem(spec) ?? diskProblem(spec.diskGb)
  if (problem !== undefined) return problem
  startCommandOf(spec)
  const port = spec.ports.find((candidate) => !isPort(candidate))
  return port === undefined ? environmentProblem(spec.env) : `${quoted(port)} is not a port; they look like 8888/http or 22/tcp.`
}

function diskProblem(diskGb: number | null): string | undefined {
  if (diskGb === null || (diskGb >= 1 && diskGb <= RECORD_LIMITS.diskGb)) return undefined
  const bound = diskGb < 1 ? 'at least 1 GB' : `at most ${RECORD_LIMITS.diskGb} GB`
  return `The container disk must be ${bound}; ${diskGb} was given.`
}

/** management §2.2 */
function isPort(port: string): boolean {
  const number = Number(/^(\d{1,5})\/(?:http|tcp)$/u.exec(port)?.[1])
  return number >= 1 && number <= 65_535
}

function environmentProblem(env: EndpointSpec['env']): string | undefined {
  for (const [key, value] of Object.entries(env)) {
    if (!/^[^=\s\p{Cc}]+$/u.test(key)) return `${quoted(key)} cannot be the name of an environment variable.`
    if (value.includes('\0')) return `The environment variable ${quoted(key)} contains a NUL character.`
    const secret = secretReferenceProblem(key, value)
    if (secret !== undefined) return secret
  }
  return undefined
}

/** The grammar of hardware is core's; it throws its own sentence. */
function hardwareProblem({ gpu, cpu }: EndpointSpec): string | undefined {
  if (cpu !== null) {
    resolveCpu(cpu.instanceIds)
    return undefined
  }
  if (gpu === null || gpu.pools.length === 0) return 'An endpoint needs either GPU pools (gpuIds) or CPU instances (instanceIds).'
  parseGpuIds(formatGpuIds(gpu))
  return gpuProblem(gpu)
}

function gpuProblem(gpu: GpuRequest): string | undefined {
  if (gpu.count < 1) return `A GPU worker has at least 1 GPU; ${gpu.count} was given.`
  if (gpu.count > RECORD_LIMITS.gpuCount) return `A GPU worker has at most ${RECORD_LIMITS.gpuCount} GPUs; ${gpu.count} was given.`
  const versions = [...gpu.allowedCudaVersions, ...(gpu.minCudaVersion === undefined ? [] : [gpu.minCudaVersion])]
  const version = versions.find((candidate) => !CUDA_VERSION.test(candidate))
  return version === undefined ? undefined : `${quoted(version)} is not a CUDA version; they look like 12.8.`
}

function settingsProblem(settings: EndpointSettings): string | undefined {
  const { workersMin, workersMax, idleTimeoutMs, executionTimeoutMs } = settings
  if (workersMin < 0 || workersMax < 0) return `Numbers of workers cannot be negative; (${workersMin}, ${workersMax}) was given.`
  if (workersMin > workersMax) return `The minimum of ${workersMin} workers is above the maximum of ${workersMax}.`
  if (idleTimeoutMs < 1000 || idleTimeoutMs > MAX_IDLE_TIMEOUT_MS)
    return `idleTimeout must be between 1 and 3600 seconds; ${idleTimeoutMs / 1000} was given.`
  if (executionTimeoutMs < 0 || executionTimeoutMs > MAX_EXECUTION_TIMEOUT_MS)
    return `The execution timeout must be between 0 (none) and 604800000 ms (7 days); ${executionTimeoutMs} was given.`
  return undefined
}

function scalerProblem({ type, settings: { scaling } }: Endpoint): string | undefined {
  if (scaling.type === 'REQUEST_COUNT')
    return isBetween(scaling.requestCount, 1)
      ? undefined
      : `The scaler value of REQUEST_COUNT must be between 1 and ${MAX_SCALER_VALUE}; ${scaling.requestCount} was given.`
  if (type === 'LOAD_BALANCER') return 'A load-balanced endpoint scales by REQUEST_COUNT only; QUEUE_DELAY was given.'
  return isBetween(scaling.queueDelay, 0)
    ? undefined
    : `The scaler value of QUEUE_DELAY must be between 0 and ${MAX_SCALER_VALUE} seconds; ${scaling.queueDelay} was given.`
}

function isBetween(value: number, min: number): boolean {
  return value >= min && value <= MAX_SCALER_VALUE
}

export interface WorkerBounds {
  /** The endpoint as it was; undefined: it is new. */
  readonly current: Endpoint | undefined
  /** All of its owner's, where a limit asks for them. */
  readonly beside: readonly Endpoint[]
  readonly limits: { readonly workersPerEndpoint: number; readonly workersPerOwner: number }
}

/** A maximum that was allowed when it was saved may stay, also when a limit has been lowered since. @throws RunyardError('bad_request') */
export function checkWorkerCounts({ id, settings: { workersMax } }: Endpoint, { current, beside, limits }: WorkerBounds): void {
  if (workersMax <= (current?.settings.workersMax ?? 0)) return
  const { workersPerEndpoint, workersPerOwner } = limits
  if (workersMax > workersPerEndpoint) {
    throw new RunyardError(
      'bad_request',
      `An endpoint has at most ${workersPerEndpoint} workers (limits.workersPerEndpoint); a maximum of ${workersMax} was given.`,
    )
  }
  const others = beside.filter((other) => other.id !== id).reduce((sum, { settings }) => sum + settings.workersMax, 0)
  if (workersPerOwner > 0 && others + workersMax > workersPerOwner) {
    throw new RunyardError(
      'bad_request',
      `Your endpoints may have ${workersPerOwner} workers together (limits.workersPerOwner): the others have ${others} and this one asks for ${workersMax}; lower the maximum of one.`,
    )
  }
}
