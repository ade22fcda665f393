// A worker's log as Flash and `rp` read it (flash-api §4.4): lines with ISO times of microsecond digits, because the clients drop lines that
// are not newer than the last one they saw (sdk2-api §3.3).
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { toTimestamp } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import { LOG_SOURCES, type WorkerLogsView } from '@runyard/schema/api'
import type { ApiKey } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import type { WorkerSessions } from '../workers/sessions.ts'
import { apiKeyOf, checkOwner, noAccess, requireApiKey } from '../http/authenticate.ts'
import { queryOf } from '../http/query.ts'

const DEFAULT_TAIL = 100
const LONGEST_TAIL = 1000

type LogDeps = Pick<GatewayDeps, 'store' | 'endpoints'> & { readonly sessions: Pick<WorkerSessions, 'find'> }

export async function registerWorkerLogs(app: FastifyInstance, deps: LogDeps): Promise<void> {
  await app.register(async (scope) => {
    requireApiKey(scope, deps.store)
    for (const url of ['/hapi/v1/pod/:workerId/logs', '/v1/pod/:workerId/logs']) scope.get(url, (request) => readLogs(deps, request))
  })
}

async function readLogs(deps: LogDeps, request: FastifyRequest): Promise<WorkerLogsView> {
  const { workerId } = request.params as { workerId: string }
  const query = queryOf(request)
  const endpointId = await findEndpointOf(deps, workerId)
  if (endpointId === undefined) throw new RunyardError('not_found', `worker not found: ${workerId}`)
  await checkReader(deps, apiKeyOf(request), endpointId)
  const wanted = LOG_SOURCES.filter((source) => query['type'] === undefined || query['type'] === 'all' || query['type'] === source)
  const logs: WorkerLogsView = { container: [], system: [] }
  for (const source of wanted) {
    const lines = await deps.store.workerLogs.read(workerId, source, tailOf(query['tail']))
    logs[source] = lines.map(({ at, line }) => `${toTimestamp(at)} ${line}`)
  }
  return logs
}

/** A log outlives its endpoint, and belongs to the endpoint's last owner. @throws RunyardError('forbidden') */
async function checkReader({ endpoints, store }: LogDeps, key: ApiKey, endpointId: string): Promise<void> {
  const endpoint = await endpoints.get(endpointId)
  if (endpoint !== undefined) checkOwner(key, endpoint)
  else if ((await store.endpoints.goneOwners([endpointId])).get(endpointId) !== key.ownerId) throw noAccess()
}

async function findEndpointOf({ store, sessions }: LogDeps, workerId: string): Promise<string | undefined> {
  const known = sessions.find(workerId)?.endpointId ?? (await store.workers.getGone(workerId))?.record.endpointId
  if (known !== undefined) return known
  const ids = (await store.endpoints.list()).map(({ id }) => id)
  const records = await Promise.all(ids.map((id) => store.workers.get(id, workerId)))
  return records.find((record) => record !== undefined)?.endpointId
}

function tailOf(given: unknown): number {
  const tail = Number(given)
  return Number.isInteger(tail) && tail > 0 ? Math.min(tail, LONGEST_TAIL) : DEFAULT_TAIL
}
