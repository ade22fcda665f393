// The routes of what happened (ADR 79): owner-scoped, with the conventions of REST.
import type { FastifyInstance } from 'fastify'
import { compressAnswer } from '../http/compress.ts'
import { withRestConventions } from '../management/rest/conventions.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { registerFailureRoute } from './failure-route.ts'
import { registerJobHistory } from './job-routes.ts'
import { registerLiveRoute } from './live-route.ts'
import { registerLogRoutes } from './log-routes.ts'
import { registerPoolRoute } from './pool-route.ts'
import { registerSeriesRoute } from './series-route.ts'
import { createStreams } from './stream.ts'
import { registerTimelineRoute } from './timeline-route.ts'
import { registerWorkerHistory } from './worker-routes.ts'

/** Of gzip: the answers repeat themselves. */
const LEVEL = 4
/** Open pages of one key; they share what is read. */
const PAGES = { most: 200, what: 'live streams' }

export async function registerHistory(app: FastifyInstance, deps: GatewayDeps): Promise<void> {
  await app.register(async (scope) => {
    const rest = withRestConventions(scope, deps)
    rest.addHook('onSend', compressAnswer(LEVEL))
    registerJobHistory(rest, deps)
    registerFailureRoute(rest, deps)
    registerWorkerHistory(rest, deps)
    registerPoolRoute(rest, deps)
    registerTimelineRoute(rest, deps)
    registerSeriesRoute(rest, deps)
    registerLogRoutes(rest, deps, createStreams(rest, deps.store))
    registerLiveRoute(rest, deps, createStreams(rest, deps.store, PAGES))
  })
}
