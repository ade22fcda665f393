// The releases of an endpoint (management §3.3).
import { z } from 'zod'
import { EndpointView } from './endpoints.ts'
import { tagged } from './operation.ts'
import { DateTime, IdParams } from './shared.ts'

const ReleaseView = z.object({
  id: z.string(),
  version: z.int(),
  source: z.literal('MANUAL'),
  buildId: z.null(),
  createdByUserId: z.string(),
  workerCount: z.int(),
  createdAt: DateTime,
  diff: z
    .array(z.object({ field: z.string(), old: z.unknown(), new: z.unknown() }))
    .describe('Against the release before; values of env are hidden.'),
  image: z.string().describe('Ours.'),
  digest: z.string().nullable().describe('Ours: what the tag of the latest release referred to.'),
})
export type ReleaseView = z.infer<typeof ReleaseView>

export const ReleaseListView = z
  .object({
    releases: z.array(ReleaseView).describe('Newest first.'),
    rollout: z.object({ inProgress: z.boolean(), workersOnLatest: z.int(), workersTotal: z.int(), percentOnLatest: z.int() }),
  })
  .meta({ id: 'ReleaseList' })
export type ReleaseListView = z.infer<typeof ReleaseListView>

export const RollbackBody = z
  .strictObject({ version: z.int().min(1).optional().describe('Of the release to return to; absent: the one before the latest.') })
  .optional()

export const RELEASE_OPERATIONS = tagged('endpoints', {
  'GET /v2/serverless/:id/releases': {
    id: 'listReleases',
    summary: 'List the releases of an endpoint',
    params: IdParams,
    reply: ReleaseListView,
  },
  'POST /runyard/v1/endpoints/:id/rollback': {
    id: 'rollBackEndpoint',
    summary: 'Save an earlier release again',
    params: IdParams,
    body: RollbackBody,
    reply: EndpointView,
  },
})
