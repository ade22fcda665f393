// Decides the endpoint that a save results in, for every dialect. A change of the container is a new version; everything else applies in
// place (flash-api §5.5, management §6.4).
import type { CpuRequest, Endpoint, EndpointSettings, EndpointSpec, GpuRequest, Template, TemplateContainer } from '@runyard/schema'
import { EndpointId, RunyardError } from '@runyard/schema'
import { checkEndpoint } from './endpoint-check.ts'
import { isSame, specText } from './spec-hash.ts'
import { refuseUnkept } from './unkept.ts'

/** Members that are absent keep their value; on a new endpoint they take their default. `null` clears. */
export interface GpuChange {
  readonly pools?: readonly string[]
  readonly excludedTypes?: readonly string[]
  readonly count?: number
  readonly allowedCudaVersions?: readonly string[]
  readonly minCudaVersion?: string | null
}

export type ContainerChange = Partial<Omit<EndpointSpec, 'gpu' | 'cpu'>>

export interface EndpointChange {
  readonly name?: string
  readonly type?: Endpoint['type']
  readonly flashEnvironmentId?: string
  readonly templateName?: string
  /** Of a new task (ADR 72). */
  readonly task?: Endpoint['task']
  /** `container` comes from the shared template that is being used, and follows it from now on. */
  readonly linkTemplate?: boolean
  readonly container?: ContainerChange
  readonly gpu?: GpuChange
  readonly cpu?: CpuRequest
  readonly settings?: Partial<EndpointSettings>
  /** Scalars to echo as they were sent (flash-api §5.4). Older echoes of what this change touches are forgotten. */
  readonly echo?: Readonly<Record<string, unknown>>
}

/** Defaults of the platform for what a client leaves out (management §6.1, column "REST v2"; scaler from "saveEndpoint"). */
export const DEFAULT_SETTINGS: EndpointSettings = {
  workersMin: 0,
  workersMax: 3,
  idleTimeoutMs: 10_000,
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  executionTimeoutMs: 0,
}

/** What a spec has beside its template and its hardware. */
export const DEFAULT_PLACEMENT: Pick<EndpointSpec, 'networkVolumeIds' | 'dataCenterIds' | 'flashboot'> = {
  networkVolumeIds: [],
  dataCenterIds: [],
  flashboot: 'OFF',
}

export const DEFAULT_CONTAINER: TemplateContainer = {
  image: '',
  entrypoint: [],
  args: '',
  env: {},
  diskGb: null,
  ports: [],
  registryId: null,
}

const EMPTY_SPEC: EndpointSpec = { ...DEFAULT_CONTAINER, ...DEFAULT_PLACEMENT, gpu: null, cpu: null }

export const DEFAULT_GPU: GpuRequest = { pools: [], excludedTypes: [], count: 1, allowedCudaVersions: [] }

/** What a decision cannot compute by itself. */
export interface ModelTools {
  /** Short random text: lower-case letters and digits, fit for a DNS label (management §1.2). */
  readonly randomText: (length: number) => string
  /** In hex. */
  readonly sha256: (text: string) => string
}

export interface ChangeContext extends ModelTools {
  readonly ownerId: string
  readonly now: number
  /** The shared template that the change uses. */
  readonly sharedTemplateId?: string | undefined
}

/** The endpoint after the change. @throws RunyardError('bad_request') with one sentence where it would make no sense. */
export function applyChange(current: Endpoint | undefined, change: EndpointChange, context: ChangeContext): Endpoint {
  const { sharedTemplateId: before, buildId: _build, ...base }: Endpoint = current ?? newEndpoint(change, context)
  const type = change.type ?? base.type
  const spec = changedSpec(current?.spec, change)
  const specHash = context.sha256(specText(type, spec))
  const next: Endpoint = {
    ...base,
    name: change.name ?? base.name,
    type,
    flashEnvironmentId: change.flashEnvironmentId ?? base.flashEnvironmentId,
    templateName: change.templateName ?? base.templateName,
    spec,
    settings: { ...base.settings, ...change.settings },
    specHash,
    ...keptBuild(current, specHash),
    version: current !== undefined && current.specHash !== specHash ? current.version + 1 : base.version,
    updatedAt: context.now,
    echo: { ...forgetTouched(base.echo, change), ...change.echo },
  }
  refuseUnkept(next, current)
  checkEndpoint(next)
  return change.linkTemplate === true ? linked(next, context.sharedTemplateId) : linked(next, keptLink(before, base.spec, spec))
}

/** Another spec is another release, which runs what its environment has active. */
function keptBuild(current: Endpoint | undefined, specHash: string): Pick<Endpoint, 'buildId'> {
  return current?.buildId === undefined || current.specHash !== specHash ? {} : { buildId: current.buildId }
}

/** Another template for an endpoint, which it follows from then on; its own again changes nothing. */
export function templateSwap(current: Endpoint | undefined, template: Template | undefined): EndpointChange {
  return template === undefined || template.id === current?.templateId ? {} : { container: template.container, linkTemplate: true }
}

function linked(endpoint: Endpoint, sharedTemplateId: string | undefined): Endpoint {
  return sharedTemplateId === undefined ? endpoint : { ...endpoint, sharedTemplateId }
}

/** A change of the container itself ends the link to the shared template. */
function keptLink(link: string | undefined, before: EndpointSpec, after: EndpointSpec): string | undefined {
  return isSame(containerOf(before), containerOf(after)) ? link : undefined
}

export function containerOf({ image, entrypoint = [], args, env, diskGb, ports, registryId }: EndpointSpec): TemplateContainer {
  return { image, entrypoint, args, env, diskGb, ports, registryId }
}

function newEndpoint(change: EndpointChange, context: ChangeContext): Endpoint {
  if (change.name === undefined) throw new RunyardError('bad_request', 'A new endpoint needs a name.')
  return {
    id: EndpointId.parse(context.randomText(14)),
    name: change.name,
    ownerId: context.ownerId,
    type: 'QUEUE',
    spec: EMPTY_SPEC,
    settings: DEFAULT_SETTINGS,
    version: 1,
    specHash: '',
    templateId: context.randomText(10),
    templateName: change.templateName ?? change.name,
    flashEnvironmentId: null,
    ...(change.task === undefined ? {} : { task: change.task }),
    createdAt: context.now,
    updatedAt: context.now,
    echo: {},
  }
}

function changedSpec(current: EndpointSpec | undefined, change: EndpointChange): EndpointSpec {
  const container = { ...EMPTY_SPEC, ...current, ...change.container }
  if (change.cpu !== undefined) return { ...container, cpu: change.cpu, gpu: null }
  if (change.gpu === undefined || (change.gpu.pools === undefined && container.gpu === null)) return container
  return { ...container, gpu: changedGpu(container.gpu ?? DEFAULT_GPU, change.gpu), cpu: null }
}

function changedGpu(current: GpuRequest, change: GpuChange): GpuRequest {
  const { minCudaVersion: currentFloor, ...rest } = current
  const floor = change.minCudaVersion === undefined ? currentFloor : (change.minCudaVersion ?? undefined)
  return {
    ...rest,
    ...(change.pools !== undefined && { pools: [...change.pools] }),
    ...(change.excludedTypes !== undefined && { excludedTypes: [...change.excludedTypes] }),
    ...(change.count !== undefined && { count: change.count }),
    ...(change.allowedCudaVersions !== undefined && { allowedCudaVersions: [...change.allowedCudaVersions] }),
    ...(floor !== undefined && { minCudaVersion: floor }),
  }
}

const GPU_ECHOES = ['gpuIds', 'gpuCount', 'minCudaVersion', 'allowedCudaVersions'] as const

/** An echo must never hide a newer value: what the change names loses its old echo. */
function forgetTouched(echo: Readonly<Record<string, unknown>>, change: EndpointChange): Record<string, unknown> {
  const touched = new Set<string>([
    ...(change.container?.dataCenterIds === undefined ? [] : ['locations']),
    ...(change.container?.networkVolumeIds === undefined ? [] : ['networkVolumeId']),
    ...(change.container?.flashboot === undefined ? [] : ['flashBootType']),
    ...(change.cpu === undefined ? touchedGpuEchoes(change.gpu ?? {}) : GPU_ECHOES),
  ])
  return Object.fromEntries(Object.entries(echo).filter(([key]) => !touched.has(key)))
}

function touchedGpuEchoes(gpu: GpuChange): readonly string[] {
  return [
    ...(gpu.pools === undefined && gpu.excludedTypes === undefined ? [] : ['gpuIds']),
    ...(gpu.count === undefined ? [] : ['gpuCount']),
    ...(gpu.minCudaVersion === undefined ? [] : ['minCudaVersion']),
    ...(gpu.allowedCudaVersions === undefined ? [] : ['allowedCudaVersions']),
  ]
}
