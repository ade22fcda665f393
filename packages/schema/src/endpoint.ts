// The management model: an endpoint in REST v2's shapes (management §3.2). GraphQL and REST v1 are adapters to this model.
import { z } from 'zod'
import { ENDPOINT_RANGES } from './bounds.ts'
import { CachedModel } from './cached-model.ts'
import { EndpointId } from './ids.ts'
import { ENDPOINT_TYPES, FLASHBOOT_MODES } from './wire-words.ts'

/** GPUs of one worker: pools minus excluded types (management §6.2 "gpuIds grammar"). */
export const GpuRequest = z.object({
  pools: z.array(z.string()).min(1),
  excludedTypes: z.array(z.string()).default([]),
  count: z.int().min(1).default(1),
  allowedCudaVersions: z.array(z.string()).default([]),
  minCudaVersion: z.string().optional(),
})
export type GpuRequest = z.infer<typeof GpuRequest>

/** A CPU worker: the first instance id that fits (flash-api §9.2), e.g. `cpu3g-2-8` = 2 vCPU and 8 GB. */
export const CpuRequest = z.object({ instanceIds: z.array(z.string()).min(1) })
export type CpuRequest = z.infer<typeof CpuRequest>

export const Scaling = z.discriminatedUnion('type', [
  /** `queueDelay` in seconds. */
  z.object({ type: z.literal('QUEUE_DELAY'), queueDelay: z.number().min(0) }),
  z.object({ type: z.literal('REQUEST_COUNT'), requestCount: z.number().min(1) }),
])
export type Scaling = z.infer<typeof Scaling>

/** The form of Runpod's start command that can also contain an entrypoint (management §6.2 "dockerArgs"). */
export const StartCommandJson = z.strictObject({ cmd: z.array(z.string()).optional(), entrypoint: z.array(z.string()).optional() })
export type StartCommandJson = z.infer<typeof StartCommandJson>

/** What a worker container is made of. A change creates a new version: idle workers are replaced, busy ones drain. */
export const EndpointSpec = z.object({
  /** The client's name for the image, e.g. `runpod/flash:py3.12-latest`; aliases are resolved at placement. */
  image: z.string().min(1),
  /** Replaces the image's ENTRYPOINT and CMD; absent or empty = the image's own. Only REST v1 has this field (management §6.2). */
  entrypoint: z.array(z.string()).optional(),
  /** Replaces the image's CMD: POSIX words, or `StartCommandJson`. */
  args: z.string(),
  env: z.record(z.string(), z.string()),
  diskGb: z.int().min(1).nullable(),
  ports: z.array(z.string()),
  registryId: z.string().nullable(),
  gpu: GpuRequest.nullable(),
  cpu: CpuRequest.nullable(),
  networkVolumeIds: z.array(z.string()),
  dataCenterIds: z.array(z.string()),
  flashboot: z.enum(FLASHBOOT_MODES),
  /** On the host before a worker starts (ADR 86); absent: none. */
  models: z.array(CachedModel).optional(),
})
export type EndpointSpec = z.infer<typeof EndpointSpec>

/** An endpoint with priority 3 gets three times the GPUs of one with priority 1 while both have jobs that wait. */
export const Priority = z.int().min(ENDPOINT_RANGES.priority.min).max(ENDPOINT_RANGES.priority.max)

export const RequestsPerSecond = z.number().min(ENDPOINT_RANGES.requestsPerSecond.min).max(ENDPOINT_RANGES.requestsPerSecond.max)

/** Settings that apply in place, without new workers (management §6.4). */
export const EndpointSettings = z.object({
  workersMin: z.int().min(0),
  workersMax: z.int().min(0),
  idleTimeoutMs: z.int().min(0),
  scaling: Scaling,
  /** 0 = unlimited. */
  executionTimeoutMs: z.int().min(0),
  /** Its weight where endpoints share GPUs (ADR 54); absent: 1. */
  priority: Priority.optional(),
  /** Of a load-balanced endpoint: a worker for so many requests per second, if these are more workers than `scaling` asks for; absent or 0: not so. */
  requestsPerSecond: RequestsPerSecond.optional(),
})
export type EndpointSettings = z.infer<typeof EndpointSettings>

export const PinnedImage = z.object({
  /** The save since which it holds, epoch ms. */
  since: z.number(),
  /** `name@sha256:…`; absent: no registry gave the image. */
  digest: z.string().optional(),
  /** By host, where there is no digest. */
  ids: z.record(z.string(), z.string()),
})
export type PinnedImage = z.infer<typeof PinnedImage>

export const Endpoint = z.object({
  id: EndpointId,
  name: z.string().min(1).max(191),
  /** The API key's owner; names are unique per (owner, name, flashEnvironmentId). */
  ownerId: z.string(),
  type: z.enum(ENDPOINT_TYPES),
  spec: EndpointSpec,
  settings: EndpointSettings,
  /** Starts at 1 and increases with each change of `spec`. */
  version: z.int().min(1),
  specHash: z.string(),
  /** The bound template, which GraphQL clients refer to (flash-api §5.5). */
  templateId: z.string(),
  templateName: z.string(),
  /** The shared template that defines this endpoint's container; absent: only the bound template, which is part of this record. */
  sharedTemplateId: z.string().optional(),
  flashEnvironmentId: z.string().nullable(),
  /** The build that its workers run since a roll-back; absent: the one that its environment has active. */
  buildId: z.string().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** The API key that created it, whose limit of workers it counts for (ADR 60); absent: created by an older version. */
  keyId: z.string().optional(),
  /** The client that saved the endpoint last, as text. */
  savedBy: z.string().optional(),
  /** Earlier specs, newest first, with the time of their replacement. A spec that returns reveals two projects with the same name. */
  pastSpecs: z.array(z.object({ specHash: z.string(), until: z.number() })).optional(),
  /** What the image's tag referred to when the first worker since a save started (ADR 62); absent: none has. */
  pinnedImage: PinnedImage.optional(),
  /** The last release of which a worker was ready (ADR 59); absent: none, or not recorded. */
  goodRelease: z
    .object({
      spec: EndpointSpec,
      specHash: z.string(),
      type: z.enum(ENDPOINT_TYPES),
      at: z.number(),
      pinnedImage: PinnedImage.optional(),
      /** Of that worker. */
      buildId: z.string().optional(),
    })
    .optional(),
  /** The endpoint was rolled back at that time; `from`: the spec hash of the failed release. */
  rollBack: z.object({ from: z.string(), at: z.number(), message: z.string() }).optional(),
  /** A task of SDK 2: it lives for one worker, and at most until then, epoch ms (ADR 72). */
  task: z.object({ until: z.number(), mounts: z.array(z.object({ volumeId: z.string(), path: z.string() })) }).optional(),
  /** When a retry was last requested without a save. */
  retriedAt: z.number().optional(),
  /** Scalars exactly as a GraphQL client sent them, echoed back byte for byte (flash-api §5.4). */
  echo: z.record(z.string(), z.unknown()),
})
export type Endpoint = z.infer<typeof Endpoint>

/** A spec of an endpoint, as the save left it that made it. */
export const Release = z.object({
  version: z.int().min(1),
  type: z.enum(ENDPOINT_TYPES),
  spec: EndpointSpec,
  specHash: z.string(),
  /** What its environment had active then; absent: it runs no deployed app, or an older version wrote this. */
  buildId: z.string().optional(),
  /** Epoch ms. */
  at: z.number(),
  savedBy: z.string().optional(),
})
export type Release = z.infer<typeof Release>
