// Tasks of SDK 2 (ADR 72): what a request for a pod becomes, and when a task is over. Failure direction: a task whose worker was lost is over rather than
// started again, because its call may have had effects.
import { quoted, RunyardError, type Endpoint, type WorkerRecord } from '@runyard/schema'
import { envelopeOf } from './image-reference.ts'
import { applyChange, type ChangeContext } from './management/endpoint-change.ts'
import { parseGpuIds } from './gpu-request.ts'
import type { WorkerView } from './worker-view.ts'

/** Only such a pod is a task: its runner refuses to start without (sdk2-api §5.4). */
const TASK_TOKEN = 'RUNPOD_TASK_TOKEN'
const DEFAULT_PORT = '8080'

export interface TaskRequest {
  readonly name: string
  readonly image: string
  readonly args: string
  readonly env: Readonly<Record<string, string>>
  readonly diskGb: number | null
  readonly registryId: string | null
  /** Each at a path of its own. */
  readonly mounts: NonNullable<Endpoint['task']>['mounts']
  readonly hardware:
    | { readonly kind: 'cpu'; readonly instanceIds: readonly string[] }
    | { readonly kind: 'gpu'; readonly types: readonly string[]; readonly count: number; readonly allowedCudaVersions: readonly string[] }
}

export interface TaskContext extends ChangeContext {
  readonly maxAgeMs: number
  readonly keyId: string | undefined
}

export const isTask = (env: Readonly<Record<string, string>>): boolean => (env[TASK_TOKEN] ?? '') !== ''

/** @throws RunyardError('bad_request') where it would make no sense. */
export function newTask({ name, hardware, mounts, ...container }: TaskRequest, { maxAgeMs, keyId, ...context }: TaskContext): Endpoint {
  if (!isTask(container.env))
    throw new RunyardError('bad_request', `The pod ${quoted(name)} has no ${TASK_TOKEN}: pods are served as tasks of SDK 2 only.`)
  if (envelopeOf(container.image) !== 'task')
    throw new RunyardError(
      'bad_request',
      `A task runs on an image of runpod/task here, and ${quoted(container.image)} is none: leave out its image.`,
    )
  const port = container.env['RUNPOD_TASK_PORT'] ?? DEFAULT_PORT
  const endpoint = applyChange(
    undefined,
    {
      name,
      type: 'LOAD_BALANCER',
      task: { until: context.now + maxAgeMs, mounts },
      container: {
        ...container,
        env: { ...container.env, PORT: port, PORT_HEALTH: port },
        networkVolumeIds: mounts.map(({ volumeId }) => volumeId),
      },
      ...hardwareOf(hardware),
      settings: { workersMin: 1, workersMax: 1, scaling: { type: 'REQUEST_COUNT', requestCount: 1000 } },
    },
    context,
  )
  return keyId === undefined ? endpoint : { ...endpoint, keyId }
}

function hardwareOf(hardware: TaskRequest['hardware']) {
  if (hardware.kind === 'cpu') return { cpu: { instanceIds: [...hardware.instanceIds] } }
  const { types, count, allowedCudaVersions } = hardware
  return { gpu: { ...parseGpuIds(types.join(',') || 'any'), count, allowedCudaVersions } }
}

/** Why its record is deleted now; undefined: it goes on. */
export function taskOver({ task }: Endpoint, workers: readonly WorkerView[], now: number): string | undefined {
  if (task === undefined) return undefined
  if (now >= task.until) return 'it has reached its maximum age (tasks.maxAgeS)'
  return workers.some(hasEnded) ? 'its worker has ended' : undefined
}

const hasEnded = ({ record, fate }: { readonly record: WorkerRecord; readonly fate: WorkerView['fate'] }): boolean =>
  record.readyAt !== undefined && (fate.kind === 'dead' || record.retireReason !== undefined)
