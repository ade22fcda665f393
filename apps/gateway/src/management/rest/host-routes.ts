// /runyard/v1/hosts (ADR 93): hosts as the operator sees them, and what the operator wants of one for a while: a cordon, a drain, a card back in use.
import { defined, releasedByOperator } from '@runyard/core'
import { RunyardError, type HostRecord } from '@runyard/schema'
import type { HostView } from '@runyard/schema/api'
import type { Store, StoredCard } from '@runyard/store'
import { onlyOperator } from '../caller.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

type HostDeps = { readonly store: Pick<Store, 'hosts' | 'endpoints' | 'workers' | 'cards'> }

export function registerHostRoutes(app: RestApp, { store }: HostDeps): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/hosts', async (request) => {
    onlyOperator(keyOf(request).ownerId, 'see the hosts')
    return { hosts: await readHosts(store) }
  })

  const get = async (ownerId: string, hostId: string): Promise<HostRecord> => {
    onlyOperator(ownerId, 'change a host')
    const found = (await store.hosts.list()).find((host) => host.hostId === hostId)
    if (found === undefined) throw new RunyardError('not_found', `There is no host "${hostId}".`)
    return found
  }

  const ownRoute = restRoutes(app, { find: get })
  ownRoute('DELETE /runyard/v1/hosts/:id', (request) => store.hosts.forget(request.params.id))

  ownRoute('PUT /runyard/v1/hosts/:id/cordon', async (request) => {
    const { reason, drain } = request.body
    const cordon = { since: Date.now(), reason, ...(drain ? { drain } : {}) }
    await store.hosts.putCordon(request.params.id, cordon)
    return cordon
  })

  ownRoute('DELETE /runyard/v1/hosts/:id/cordon', (request) => store.hosts.putCordon(request.params.id, undefined))

  ownRoute('POST /runyard/v1/hosts/:id/gpus/:gpu/release', async (request) =>
    release(store, await get(keyOf(request).ownerId, request.params.id), request.params.gpu),
  )
}

async function readHosts(store: HostDeps['store']): Promise<HostView[]> {
  const [records, endpoints, cards] = await Promise.all([store.hosts.list(), store.endpoints.list(), store.cards.list()])
  const workers = (await Promise.all(endpoints.map(({ id }) => store.workers.list(id)))).flat()
  return records.map(({ hostId, sight = null, cordon, rest }) => {
    const own = workers.filter((worker) => worker.hostId === hostId)
    return defined({
      id: hostId,
      sight,
      cordon,
      rest,
      workers: own.map(({ id, endpointId, gpus }) => ({ id, endpointId, gpus: gpus.length })),
      cards: cards
        .toSorted((one, other) => one.uuid.localeCompare(other.uuid))
        .flatMap(({ uuid, claim }) => (claim !== undefined && isOn({ hostId, sight }, uuid, claim.hostId) ? [{ uuid, claim }] : [])),
    })
  })
}

type Seen = { readonly hostId: string; readonly sight?: HostRecord['sight'] | null }

const lists = ({ sight }: Seen, uuid: string): boolean => sight?.inventory?.gpus.some((gpu) => gpu.uuid === uuid) === true

/** A card that the host does not list any more is where it went into quarantine. */
const isOn = (host: Seen, uuid: string, hostId: string | undefined): boolean => host.hostId === hostId || lists(host, uuid)

/** The leading scaler still wants proof that nothing is left on it, and a fault that the host still reports puts it back. */
async function release(store: HostDeps['store'], host: HostRecord, uuid: string) {
  const card = (await store.cards.list()).find((each) => each.uuid === uuid)
  if (!isInQuarantine(card) || !isOn(host, uuid, card.claim.hostId))
    throw new RunyardError('not_found', `No GPU "${uuid}" of this host is in quarantine.`)
  const isListed = lists(host, uuid)
  if (!(await store.cards.putClaim(card, isListed ? releasedByOperator(card.claim, Date.now()) : undefined)))
    throw new RunyardError('conflict', `${uuid} has just changed; look at it again.`)
  return { uuid, isListed }
}

function isInQuarantine(card: StoredCard | undefined): card is StoredCard & { readonly claim: NonNullable<StoredCard['claim']> } {
  return card?.claim?.kind === 'quarantined' || card?.claim?.kind === 'probation'
}

export function registerStandbyRoute(app: RestApp, { store }: { readonly store: Pick<Store, 'hosts'> }): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/standby', async () => {
    const sights = (await store.hosts.list()).flatMap(({ sight }) => sight ?? [])
    const hosts = sights.map(({ label, standby = 0, standbyProblem }) => ({ host: label, waiting: standby, problem: standbyProblem }))
    return { hosts: hosts.filter(({ waiting, problem }) => waiting > 0 || problem !== undefined) }
  })
}
