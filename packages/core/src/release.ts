// Releases (ADR 59): a release is an endpoint's spec from one save to the next that changes it. It is good once one of its workers was ready. A release of
// which none gets ready in several rounds of starts has failed; by setting the endpoint returns to the last good one. Failure direction: without a good
// release on record nothing is rolled back, and a good one that fails later is not either.
import type { Endpoint, WorkerRecord } from '@runyard/schema'
import { currentFailures, type StartFailures } from './backoff.ts'
import type { EndpointView } from './observed.ts'
import type { PlanBuilder } from './plan-builder.ts'

/** Rounds of failed starts after which a release has failed. */
export const RELEASE_FAILS_AFTER = 3

/** Adds what is to be done about the endpoint's release. */
export function planRelease({ endpoint, workers, failures }: EndpointView, builder: PlanBuilder): void {
  if (endpoint === undefined || !builder.observed.policy.rollsBack || builder.observed.shutdown) return
  const { id: endpointId, specHash } = endpoint
  const ready = readyOf(endpoint, workers)
  if (ready !== undefined) {
    const { buildId } = ready
    if (endpoint.goodRelease?.specHash !== specHash) builder.add({ kind: 'note-release', endpointId, specHash, buildId })
    return
  }
  const failed = failedRelease(endpoint, workers, failures)
  if (failed === undefined || endpoint.goodRelease === undefined || endpoint.goodRelease.specHash === specHash) return
  builder.add({ kind: 'roll-back', endpointId, specHash, message: failed.message })
}

function readyOf({ specHash }: Endpoint, workers: readonly WorkerRecord[]): WorkerRecord | undefined {
  return workers.find((worker) => worker.specHash === specHash && worker.readyAt !== undefined)
}

/** The failures of a release that has never started and had its tries; undefined: it has not failed. */
export function failedRelease(
  endpoint: Endpoint,
  workers: readonly WorkerRecord[],
  failures: StartFailures | undefined,
): StartFailures | undefined {
  const current = currentFailures(failures, endpoint, workers)
  if (current === undefined || current.count < RELEASE_FAILS_AFTER || readyOf(endpoint, workers) !== undefined) return undefined
  return endpoint.goodRelease?.specHash === endpoint.specHash ? undefined : current
}

/** The endpoint with the release on record as good. */
export function withGoodRelease(
  endpoint: Endpoint,
  { at, buildId }: { readonly at: number; readonly buildId?: string | undefined },
): Endpoint {
  const { spec, specHash, type, pinnedImage } = endpoint
  const pins = { ...(pinnedImage === undefined ? {} : { pinnedImage }), ...(buildId === undefined ? {} : { buildId }) }
  return { ...endpoint, goodRelease: { spec, specHash, type, at, ...pins } }
}

/** The endpoint with its last good release as a new version. It follows no shared template any more, because that describes the failed release. */
export function rolledBack(endpoint: Endpoint, { message, at }: { readonly message: string; readonly at: number }): Endpoint | undefined {
  const { goodRelease, sharedTemplateId: _link, buildId: _build, ...rest } = endpoint
  if (goodRelease === undefined || goodRelease.specHash === endpoint.specHash) return undefined
  const { spec, specHash, type, pinnedImage, buildId } = goodRelease
  const failedAt = new Date(endpoint.updatedAt).toISOString()
  const words = `the release of ${failedAt} could not start, so the endpoint was rolled back to the last good one: ${message}`
  return {
    ...rest,
    goodRelease,
    spec,
    specHash,
    type,
    version: endpoint.version + 1,
    updatedAt: at,
    ...(buildId === undefined ? {} : { buildId }),
    ...(pinnedImage === undefined ? {} : { pinnedImage: { ...pinnedImage, since: at } }),
    savedBy: 'roll-back',
    echo: {},
    pastSpecs: [{ specHash: endpoint.specHash, until: at }, ...(endpoint.pastSpecs ?? [])].slice(0, 4),
    rollBack: { from: endpoint.specHash, at, message: words },
  }
}

/** What to report of the endpoint's roll-back until it is saved again. */
export function rollBackOf({ rollBack, updatedAt }: Endpoint): string | undefined {
  return rollBack === undefined || rollBack.at < updatedAt ? undefined : rollBack.message
}
