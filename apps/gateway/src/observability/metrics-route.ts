// `/metrics` in Prometheus' format (ADR 73). The pool facts are the same on every gateway, the process facts are this one's; `?scope=` serves one of the
// two, for several gateways behind a balancer. While Redis is away the pool facts are absent rather than zero. Ends of jobs that the scaler recorded are
// added to this gateway's own counts. The page names all users' endpoints, so `metrics-access.ts` decides which requests need no key.
import type { FastifyInstance } from 'fastify'
import { BLOB_OPERATIONS, METRIC_SCOPES, METRICS, type MetricName, type MetricScope } from '@runyard/core'
import { createNodeMetrics, createSeries, renderSeries, type Sample, type Samples } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { requireApiKey } from '../http/authenticate.ts'
import { compressAnswer } from '../http/compress.ts'
import { isStoreAnswering } from '../http/silent-store.ts'
import { queryOf, type Asked } from '../http/query.ts'
import type { WorkerPlaneDeps } from '../workers/routes.ts'
import { certificateOf } from '../parts/certificate.ts'
import { isOpenFor } from './metrics-access.ts'
import { readPoolFacts, readScalerFacts } from './pool-facts.ts'

type ScrapeDeps = Pick<WorkerPlaneDeps, 'store' | 'metrics' | 'config' | 'prices' | 'blobErrors' | 'waiters' | 'sessions' | 'log'>

/** Of compression. The page is text that repeats itself: a higher level costs more time and saves little. */
const LEVEL = 1
/** Of Redis. Prometheus itself gives up a page after 10 s. */
const ANSWER_MS = 2000
const INCOMPLETE = 'the metrics miss what Redis knows'

export async function registerMetrics(app: FastifyInstance, deps: ScrapeDeps, version: string): Promise<void> {
  const node = createNodeMetrics()
  const readPage = createPage(deps, version)
  await app.register(async (scope) => {
    requireApiKey(scope, deps.store, { sessions: 'refused', isOpen: (request) => isOpenFor(deps.config, request) })
    scope.get('/metrics', { onSend: compressAnswer(LEVEL) }, async (request, reply) => {
      const asked = scopeOf(request)
      const own = asked === 'pool' ? '' : await node.render()
      return reply.type(node.contentType).send((await readPage(asked)) + own)
    })
  })
}

/** Undefined: both. @throws RunyardError('bad_request') */
function scopeOf(request: Asked): MetricScope | undefined {
  const asked = queryOf(request)['scope']
  const known = METRIC_SCOPES.find((scope) => scope === asked)
  if (asked === undefined || known !== undefined) return known
  throw new RunyardError('bad_request', `"scope" must be one of ${METRIC_SCOPES.join(', ')}, or absent for both`)
}

function createPage(deps: ScrapeDeps, version: string): (scope: MetricScope | undefined) => Promise<string> {
  const { store, metrics } = deps
  /** Of the endpoints, as last read: while Redis is away the process facts keep their names. */
  let names: ReadonlyMap<string, string> = new Map()

  /** `parts`: so far without what Redis knows. */
  async function readStore(scope: MetricScope | undefined, parts: Samples<MetricName>[]): Promise<void> {
    const endpoints = await store.endpoints.list()
    names = new Map(endpoints.map(({ id, name }) => [id, name]))
    const now = Date.now()
    if (scope !== 'process') {
      parts.push(await readPoolFacts(deps, endpoints, now), withNames(await readScalerFacts(store, now), names))
    }
    if (scope === 'pool') return
    metrics.keepEndpoints(new Set(names.keys()))
    for (const measure of await store.measures.take()) metrics.jobsEnded(measure)
  }

  return async (scope) => {
    const parts: Samples<MetricName>[] = []
    const askedAt = performance.now()
    const isAnswering = await isStoreAnswering(store, ANSWER_MS)
    const answerMs = isAnswering ? performance.now() - askedAt : undefined
    if (scope !== 'pool') parts.push(await readProcess(deps, version, answerMs))
    if (isAnswering) await readStore(scope, parts).catch((error: unknown) => deps.log.warn({ err: error }, INCOMPLETE))
    else deps.log.warn(`${INCOMPLETE}: it does not answer`)
    if (scope !== 'pool') parts.push(withNames(metrics.samples(), names))
    return renderSeries(METRICS, parts)
  }
}

/** Series of endpoints get the name before the id; those of an endpoint without a name are not shown. */
export function withNames(samples: Samples<MetricName>, names: ReadonlyMap<string, string>): Samples<MetricName> {
  const named = (sample: Sample): readonly Sample[] => {
    const name = names.get(sample.values[0] ?? '')
    return name === undefined ? [] : [{ ...sample, values: [name, ...sample.values] }]
  }
  return new Map([...samples].map(([name, own]) => [name, METRICS[name].labels.includes('endpoint') ? own.flatMap(named) : own]))
}

/** `answerMs`: how long Redis took over one command alone, before the many of the pool facts; undefined: it did not answer. */
async function readProcess(
  { config, waiters, sessions, blobErrors }: ScrapeDeps,
  version: string,
  answerMs: number | undefined,
): Promise<Samples<MetricName>> {
  const facts = createSeries<MetricName>(METRICS)
  if (answerMs !== undefined) facts.set('runyard_store_answer_seconds', [], answerMs / 1000)
  facts.set('runyard_store_up', [], answerMs === undefined ? 0 : 1)
  for (const operation of BLOB_OPERATIONS) facts.set('runyard_blob_errors_total', [operation], blobErrors(operation))
  const certificate = await certificateOf(config)
  if (certificate !== undefined) facts.set('runyard_certificate_expires_timestamp_seconds', [], certificate.expiresAt / 1000)
  facts.set('runyard_http_held_requests', ['caller'], waiters.size)
  facts.set('runyard_http_held_requests', ['worker'], sessions.heldTakes)
  facts.set('runyard_build_info', ['gateway', version, process.versions.node], 1)
  return facts.samples()
}
