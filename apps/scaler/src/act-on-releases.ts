// What becomes of an endpoint's release (ADR 59): it is recorded as good, or rolled back. Each may run twice: a release that is not the endpoint's any more
// changes nothing.
import { rolledBack, withGoodRelease, type ActionOf } from '@runyard/core'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { ActDeps } from './act-deps.ts'

type Deps = Pick<ActDeps, 'store' | 'log'>

export async function noteRelease({ store }: Deps, { endpointId, specHash, buildId }: ActionOf<'note-release'>): Promise<void> {
  await change(store, { endpointId, specHash }, (endpoint) => withGoodRelease(endpoint, { at: Date.now(), buildId }))
}

export async function rollBack({ store, log }: Deps, { endpointId, specHash, message }: ActionOf<'roll-back'>): Promise<void> {
  const at = Date.now()
  const endpoint = await change(store, { endpointId, specHash }, (current) => rolledBack(current, { message, at }) ?? current)
  if (endpoint?.rollBack?.at !== at) return
  log.warn({ endpointId, from: specHash, to: endpoint.specHash, version: endpoint.version }, endpoint.rollBack.message)
  await store.events.append({
    at,
    endpointId,
    kind: 'endpoint_rolled_back',
    reason: 'rolled_back',
    message: endpoint.rollBack.message,
  })
}

/** Undefined: the endpoint is gone, or has another release by now. */
async function change(
  store: Deps['store'],
  { endpointId, specHash }: { readonly endpointId: string; readonly specHash: string },
  edit: (endpoint: Endpoint) => Endpoint,
): Promise<Endpoint | undefined> {
  const found = await store.endpoints.get(endpointId)
  if (found?.specHash !== specHash) return undefined
  return store.endpoints.upsert({ id: endpointId }, (current) => {
    if (current === undefined) throw new RunyardError('not_found', `The endpoint ${endpointId} was deleted.`)
    return current.specHash === specHash ? edit(current) : current
  })
}

/** A task that is over is deleted; its worker, if there is one, goes as that of any deleted endpoint (ADR 72). */
export async function endTask({ store, log }: Deps, { endpointId, message }: ActionOf<'end-task'>): Promise<void> {
  if (await store.endpoints.delete(endpointId)) log.info({ endpointId }, `a task is over: ${message}`)
}
