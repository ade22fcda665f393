// /v2/serverless/{id}/releases (management §3.3), and our roll-back.
import { pinnedDigestOf } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { ReleaseView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { callerOf } from '../caller.ts'
import type { ManagementModel } from '../model.ts'
import type { ListedRelease } from '../release-model.ts'
import { keyOf, originOf, restRoutes, type RestApp } from './conventions.ts'
import { endpointReply } from './replies.ts'

interface ReleaseRouteDeps {
  readonly model: ManagementModel
  readonly store: Pick<Store, 'workers'>
}

export function registerReleaseRoutes(app: RestApp, { model, store }: ReleaseRouteDeps): void {
  const ownRoute = restRoutes(app, { find: (ownerId, id) => model.get(ownerId, id) })

  ownRoute('GET /v2/serverless/:id/releases', async (request) => {
    const { endpoint, releases } = await model.releases.list(keyOf(request).ownerId, request.params.id)
    const workers = await store.workers.list(endpoint.id)
    const count = (specHash: string): number => workers.filter((worker) => worker.specHash === specHash).length
    const [workersOnLatest, workersTotal] = [count(endpoint.specHash), workers.length]
    return {
      releases: releases.map((listed) => releaseReply(listed, endpoint, count)),
      rollout: {
        inProgress: workersOnLatest < workersTotal,
        workersOnLatest,
        workersTotal,
        percentOnLatest: workersTotal === 0 ? 0 : Math.floor((100 * workersOnLatest) / workersTotal),
      },
    }
  })

  ownRoute('POST /runyard/v1/endpoints/:id/rollback', async (request) => {
    const wanted = { version: request.body?.version, by: callerOf(request).client }
    return endpointReply(await model.releases.rollBack(keyOf(request).ownerId, request.params.id, wanted), originOf(request))
  })
}

function releaseReply({ release, diff }: ListedRelease, endpoint: Endpoint, count: (specHash: string) => number): ReleaseView {
  const isLatest = release.version === endpoint.version
  return {
    id: `${endpoint.id}-${release.version}`,
    version: release.version,
    source: 'MANUAL',
    buildId: null,
    createdByUserId: endpoint.ownerId,
    workerCount: isLatest ? count(release.specHash) : 0,
    createdAt: new Date(release.at).toISOString(),
    diff: [...diff],
    image: release.spec.image,
    digest: isLatest ? (pinnedDigestOf(endpoint) ?? null) : null,
  }
}
