// Tasks of SDK 2 as the management surfaces see them: created by GraphQL, listed and deleted as pods (ADR 72).
import { newTask, type TaskRequest } from '@runyard/core'
import { quoted, RunyardError, type Config, type Endpoint } from '@runyard/schema'
import type { ManagementModel, ModelStore } from './model.ts'
import { MODEL_TOOLS } from './model-tools.ts'

export type TaskModel = ReturnType<typeof createTaskModel>

export interface TaskModelDeps extends Pick<ManagementModel, 'remove'> {
  readonly store: Pick<ModelStore, 'endpoints'>
  readonly tasks: Config['tasks']
  readonly tls: Config['tls']
  readonly clock: () => number
}

export function createTaskModel({ store, tasks, tls, clock, remove }: TaskModelDeps) {
  /** `pod`: its id, also with the host and path that the client got before it. @throws RunyardError('not_found') */
  const get = async (ownerId: string, pod: string): Promise<Endpoint> => {
    const endpoint = await store.endpoints.get(idIn(pod))
    if (endpoint?.task === undefined || endpoint.ownerId !== ownerId)
      throw new RunyardError('not_found', `Pod ${quoted(pod)} was not found.`)
    return endpoint
  }
  return {
    /** At which the client that sent its request to `base` reaches this gateway by https. */
    hostFor(base: string): string {
      const isPlain = base.startsWith('http:')
      const own = isPlain && (tls.port ?? 0) !== 0 ? `${tls.name}:${tls.port}` : base.replace(/^https?:\/\//u, '')
      return tasks.host ?? own
    },
    get,
    /** Oldest first. */
    async list(ownerId: string): Promise<readonly Endpoint[]> {
      const found = (await store.endpoints.list(ownerId)).filter(({ task }) => task !== undefined)
      return found.toSorted((one, other) => one.createdAt - other.createdAt)
    },
    /** @throws RunyardError('bad_request' | 'unprocessable') */
    async start(ownerId: string, request: TaskRequest, keyId: string | undefined): Promise<Endpoint> {
      if (!tasks.enabled) throw new RunyardError('bad_request', 'Tasks are switched off here (tasks.enabled).')
      const context = { ...MODEL_TOOLS, ownerId, now: clock(), maxAgeMs: tasks.maxAgeS * 1000, keyId }
      const task = newTask(request, context)
      return store.endpoints.upsert({ ownerId, name: task.name, flashEnvironmentId: null }, (current) => {
        if (current !== undefined) throw new RunyardError('conflict', `A pod named "${task.name}" exists already.`)
        return task
      })
    },
    /** @throws RunyardError('not_found') */
    async end(ownerId: string, pod: string): Promise<void> {
      await remove(ownerId, (await get(ownerId, pod)).id)
    },
  }
}

/** `host:port/t/abc` → `abc`. */
function idIn(pod: string): string {
  return pod.slice(pod.lastIndexOf('/') + 1)
}
