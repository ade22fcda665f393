// /v2/pods (sdk2-api §3.8, §4.6): tasks, by the id that the client got, percent-encoded with host and path, or by the short one. Other pods are refused.
import { RunyardError, type Endpoint } from '@runyard/schema'
import { ONE_PAGE, type PodView } from '@runyard/schema/api'
import { unreachable } from '../../http/add-route.ts'
import { NO_PODS } from '../out-of-scope.ts'
import type { TaskModel } from '../task-model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerPodRoutes(app: RestApp, tasks: TaskModel): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => tasks.get(ownerId, id) })
  route('GET /v2/pods', async (request) => ({ pods: (await tasks.list(keyOf(request).ownerId)).map(podReply), pagination: ONE_PAGE }))

  route('GET /v2/pods/:id', async (request) => podReply(await tasks.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('DELETE /v2/pods/:id', (request) => tasks.end(keyOf(request).ownerId, request.params.id))

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
