// The routes of what happened (ADR 79): owner-scoped, with the conventions of REST.
import type { FastifyInstance } from 'fastify'
import { compressAnswer } from '../http/compress.ts'
import { withRestConventions } from '../management/rest/conventions.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { createWorkerLists } from '../parts/worker-lists.ts'
import { registerFailureRoute } from './failure-route.ts'
import { registerJobHistory } from './job-routes.ts'
import { registerLiveRoute } from './live-route.ts'
import { registerLogRoutes } from './log-routes.ts'
import { registerPoolRoute } from './pool-route.ts'
import { registerSeriesRoute } from './series-route.ts'
import { createSharedAnswers, GZIP_LEVEL } from '../http/shared-answers.ts'
import { createStreams } from './stream.ts'
import { registerTimelineRoute } from './timeline-route.ts'
import { registerWorkerHistory } from './worker-routes.ts'

/** Open pages of one key; they share what is read. */
const PAGES = { most: 200, what: 'live streams' }

export async function registerHistory(app: FastifyInstance, deps: GatewayDeps): Promise<void> {
  await app.register(async (scope) => {
    const rest = withRestConventions(scope, deps)
    rest.addHook('onSend', compressAnswer(GZIP_LEVEL))
    const shared = createSharedAnswers(rest, deps.store)
    const workers = createWorkerLists(deps.store)
    rest.addHook('onClose', () => workers[Symbol.asyncDispose]())
    registerJobHistory(rest, deps)
    registerFailureRoute(rest, deps, shared)
    registerWorkerHistory(rest, deps)
    registerPoolRoute(rest, deps)
    registerTimelineRoute(rest, { ...deps, workers }, shared)
    registerSeriesRoute(rest, deps, shared)
    registerLogRoutes(rest, deps, createStreams(rest, deps.store))
    registerLiveRoute(rest, { ...deps, workers }, createStreams(rest, deps.store, PAGES))
  })
}
