// /v2/pods (sdk2-api §3.8, §4.6): tasks, by the id that the client got, percent-encoded with host and path, or by the short one. Other pods are refused.
import { RunyardError, type Endpoint } from '@runyard/schema'
import { ONE_PAGE, type PodView } from '@runyard/schema/api'
import { unreachable } from '../../http/add-route.ts'
import { NO_PODS } from '../out-of-scope.ts'
import type { TaskModel } from '../task-model.ts'
import { keyOf, registerRemoval, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export function registerPodRoutes(app: RestApp, tasks: TaskModel): void {
  app.route({
    ...restRoute('GET /v2/pods'),
    handler: async (request) => ({ pods: (await tasks.list(keyOf(request).ownerId)).map(podReply), pagination: ONE_PAGE }),
  })

  app.route({
    ...restRoute('GET /v2/pods/:id'),
    handler: async (request) => podReply(await tasks.get(keyOf(request).ownerId, request.params.id)),
  })

  registerRemoval(app, {
    route: restRoute('DELETE /v2/pods/:id'),
    find: (ownerId, id) => tasks.get(ownerId, id),
    remove: (ownerId, id) => tasks.end(ownerId, id),
  })

  for (const url of ['/v2/pods', '/v2/pods/:id', '/v2/pods/:id/*'] as const)
    app.route({
      method: url.endsWith('*') ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : ['POST', 'PUT', 'PATCH'],
      url,
      onRequest: async () => {
        throw new RunyardError('not_found', NO_PODS)
      },
      handler: unreachable,
    })
}

function podReply({ id, name, spec, createdAt, task }: Endpoint): PodView {
  const endsAt = new Date(task?.until ?? createdAt).toISOString()
  return { id, name, image: spec.image, status: 'RUNNING', createdAt: new Date(createdAt).toISOString(), endsAt }
}
