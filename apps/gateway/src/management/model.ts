// The management model: the one place that creates, changes and removes endpoints. Dialects (GraphQL, REST v2) translate into it
// and out of it and have no rules of their own. Whatever belongs to somebody else is "not found".
import type { Endpoint } from '@runyard/schema'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { applyChange } from './model-change.ts'
import type { EndpointChange } from './model-change.ts'

/** By id, it must exist; by name it is created or updated (flash-api §5.3: identity without `.flash/`). */
export type EndpointTarget = { readonly id: string } | { readonly name: string; readonly flashEnvironmentId: string | null }

/** May run more than once: sees the endpoint as it is now. */
export type DescribeChange = (current: Endpoint | undefined) => EndpointChange

export interface Saved {
  readonly endpoint: Endpoint
  readonly created: boolean
}

export interface ManagementModel {
  /** Oldest first. */
  list(ownerId: string): Promise<readonly Endpoint[]>
  /** @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<Endpoint>
  /** @throws RunyardError('not_found') */
  getByTemplate(ownerId: string, templateId: string): Promise<Endpoint>
  /** @throws RunyardError('not_found' | 'bad_request') */
  save(ownerId: string, target: EndpointTarget, describe: DescribeChange): Promise<Saved>
  /** Its queued and running jobs are cancelled, its workers retired. @throws RunyardError('not_found') */
  remove(ownerId: string, id: string): Promise<void>
}

export function createManagementModel(store: Pick<Store, 'endpoints'>, clock: () => number = Date.now): ManagementModel {
  const get = async (ownerId: string, id: string): Promise<Endpoint> =>
    ownedBy(ownerId, await store.endpoints.get(id), missing('Endpoint', id))

  return {
    get,

    async list(ownerId) {
      const endpoints = await store.endpoints.list()
      return endpoints.filter((endpoint) => endpoint.ownerId === ownerId).sort((a, b) => a.createdAt - b.createdAt)
    },

    async getByTemplate(ownerId, templateId) {
      return ownedBy(ownerId, await store.endpoints.findByTemplate(templateId), missing('Template', templateId))
    },

    async save(ownerId, target, describe) {
      let created = false
      const endpoint = await store.endpoints.upsert('id' in target ? target : { ownerId, ...target }, (current) => {
        created = current === undefined
        if ('id' in target) ownedBy(ownerId, current, `${missing('Endpoint', target.id)} ${FORGET_HINT}`)
        return applyChange(current, describe(current), { ownerId, now: clock() })
      })
      return { endpoint, created }
    },

    async remove(ownerId, id) {
      await get(ownerId, id)
      await store.endpoints.delete(id)
    },
  }
}

/** A client that saves by id has it from somewhere; Flash has it from a file that outlives the server's data. */
const FORGET_HINT = 'If a Flash project still remembers it, delete its .flash directory.'

function missing(what: string, id: string): string {
  return `${what} "${id}" was not found.`
}

function ownedBy(ownerId: string, endpoint: Endpoint | undefined, sentence: string): Endpoint {
  if (endpoint === undefined || endpoint.ownerId !== ownerId) throw new RunyardError('not_found', sentence)
  return endpoint
}
