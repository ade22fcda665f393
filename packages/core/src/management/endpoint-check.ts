// Which endpoints make sense. Each refusal is one sentence that names the value and what would be right; the same rules hold for
// every dialect (management §3.2, §6.2; flash-api §9).
import { resolveCpu } from '../cpu-request.ts'
import { gpuBudgetProblem } from '../gpu-budget.ts'
import { formatGpuIds, parseGpuIds } from '../gpu-request.ts'
import { imageProblem } from '../image-reference.ts'
import { startCommandOf } from '../start-command.ts'
import type { Endpoint, EndpointSettings, EndpointSpec, GpuRequest, Template, TemplateContainer } from '@runyard/schema'
import { ENDPOINT_RANGES, quoted, RunyardError, type Range } from '@runyard/schema'
import { containerSizeProblem, echoSizeProblem, nameProblem, notesSizeProblem, placementSizeProblem } from './record-sizes.ts'
import { secretReferenceProblem } from './secrets.ts'

const { diskGb: DISK_GB, gpuCount: GPU_COUNT, idleTimeoutS: IDLE_S, executionTimeoutS: EXECUTION_S } = ENDPOINT_RANGES
const CUDA_VERSION = /^\d{1,4}\.\d{1,4}$/u

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
  if (diskGb === null || isWithin(diskGb, DISK_GB)) return undefined
  const bound = diskGb < DISK_GB.min ? `at least ${DISK_GB.min} GB` : `at most ${DISK_GB.max} GB`
  return `The container disk must be ${bound}; ${diskGb} was given.`
}

/** management §2.2 */
function isPort(port: string): boolean {
  const number = Number(/^(\d{1,5})\/(?:http|tcp)$/u.exec(port)?.[1])
  return number >= 1 && number <= 65_535
}

function environmentProblem(env: EndpointSpec['env']): string | undefined {
  for (const [key, value] of Object.entries(env)) {
    if (!/^[^=\s\p{Cc}]+$/u.test(key))
      return `${quoted(key)} cannot be the name of an environment variable: blanks, "=" and control characters are not allowed.`
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
  if (gpu.count > GPU_COUNT.max) return `A GPU worker has at most ${GPU_COUNT.max} GPUs; ${gpu.count} was given.`
  const versions = [...gpu.allowedCudaVersions, ...(gpu.minCudaVersion === undefined ? [] : [gpu.minCudaVersion])]
  const version = versions.find((candidate) => !CUDA_VERSION.test(candidate))
  return version === undefined ? undefined : `${quoted(version)} is not a CUDA version; they look like 12.8.`
}

function settingsProblem(settings: EndpointSettings): string | undefined {
  const { workersMin, workersMax, idleTimeoutMs, executionTimeoutMs } = settings
  if (workersMin < 0 || workersMax < 0) return `Numbers of workers cannot be negative; (${workersMin}, ${workersMax}) was given.`
  if (workersMin > workersMax) return `The minimum of ${workersMin} workers is above the maximum of ${workersMax}.`
  if (!isWithin(idleTimeoutMs / 1000, IDLE_S))
    return `idleTimeout must be between ${IDLE_S.min} and ${IDLE_S.max} seconds; ${idleTimeoutMs / 1000} was given.`
  if (executionTimeoutMs !== 0 && !isWithin(executionTimeoutMs / 1000, EXECUTION_S))
    return `The execution timeout must be 0 (none) or between 5000 and 604800000 ms (7 days); ${executionTimeoutMs} was given.`
  return undefined
}

function scalerProblem({ type, settings: { scaling, requestsPerSecond = 0 } }: Endpoint): string | undefined {
  const { requestCount, queueDelayS } = ENDPOINT_RANGES
  if (requestsPerSecond > 0 && type !== 'LOAD_BALANCER')
    return '"requestsPerSecond" is for load-balanced endpoints; a queue scales by the jobs that it holds.'
  if (scaling.type === 'REQUEST_COUNT') return scalerValueProblem('REQUEST_COUNT', scaling.requestCount, requestCount)
  if (type === 'LOAD_BALANCER') return 'A load-balanced endpoint scales by REQUEST_COUNT only; QUEUE_DELAY was given.'
  return scalerValueProblem('QUEUE_DELAY', scaling.queueDelay, queueDelayS)
}

function scalerValueProblem(scaler: string, value: number, range: Range): string | undefined {
  const unit = scaler === 'QUEUE_DELAY' ? ' seconds' : ''
  return isWithin(value, range)
    ? undefined
    : `The scaler value of ${scaler} must be between ${range.min} and ${range.max}${unit}; ${value} was given.`
}

function isWithin(value: number, { min, max }: Range): boolean {
  return value >= min && value <= max
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
