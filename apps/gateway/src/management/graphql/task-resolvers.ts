// The pods of SDK 2's tasks in GraphQL (sdk2-api §4.6). The id of the reply leads the client to this gateway (sdk2-api §1.4, ADR 72).
import { VOLUME_PATH, type TaskRequest } from '@runyard/core'
import { RunyardError, type Endpoint } from '@runyard/schema'
import { NO_PODS } from '../out-of-scope.ts'
import type { TaskModel } from '../task-model.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

type PodInput = Input<'PodFindAndDeployOnDemandInput'>

export function taskMutations(model: TaskModel) {
  const deploy = async (input: PodInput, hardware: TaskRequest['hardware'], { key, base }: RequestContext) => {
    const task = await model.start(key.ownerId, requestOf(input, hardware), key.id)
    return podReply(task, `${model.hostFor(base)}/t/${task.id}`)
  }
  return {
    deployCpuPod: ({ input }: { input: Input<'deployCpuPodInput'> }, context: RequestContext) =>
      deploy(input, { kind: 'cpu', instanceIds: input.instanceId == null ? (input.instanceIds ?? []) : [input.instanceId] }, context),
    podFindAndDeployOnDemand: ({ input }: { input: PodInput }, context: RequestContext) => {
      const types = input.gpuTypeIdList ?? (input.gpuTypeId == null ? [] : [input.gpuTypeId])
      const allowedCudaVersions = input.allowedCudaVersions ?? []
      return deploy(input, { kind: 'gpu', types, count: input.gpuCount ?? 1, allowedCudaVersions }, context)
    },
    podTerminate: async ({ input }: { input: Input<'PodTerminateInput'> }, { key }: RequestContext) => {
      await model.end(key.ownerId, input.podId)
      return null
    },
  }
}

function requestOf(input: PodInput, hardware: TaskRequest['hardware']): TaskRequest {
  const env = Object.fromEntries((input.env ?? []).map(({ key, value }) => [key, value ?? '']))
  if (env['RUNPOD_TASK_TOKEN'] === undefined) throw new RunyardError('bad_request', NO_PODS)
  return {
    name: input.name ?? 'task',
    image: input.imageName ?? '',
    args: input.dockerArgs ?? '',
    env,
    diskGb: input.containerDiskInGb ?? null,
    registryId: input.containerRegistryAuthId ?? null,
    mounts: (input.volumeMounts ?? []).map(({ volumeId, mountPath }) => ({ volumeId, path: mountPath ?? VOLUME_PATH })),
    hardware,
  }
}

function podReply({ name, spec }: Endpoint, id: string): Record<string, unknown> {
  return { id, name, imageName: spec.image, desiredStatus: 'RUNNING' }
}
