// Endpoints of deployed apps by the names that callers know: app, environment and resource (flash-api §5.8, sdk2-api §4.1). What was found is remembered
// until any endpoint changes, so that a call costs no read; what was not found is looked up again.
import { deployedName } from '@runyard/core'
import { quoted, RunyardError, type Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { IncomingHttpHeaders } from 'node:http'
import type { EndpointCache } from './endpoint-cache.ts'

/** In the place of an endpoint's id. */
export const SENTINEL = 'flash'
const MOST_REMEMBERED = 10_000

export type DeployedEndpoints = ReturnType<typeof createDeployedEndpoints>

interface Names {
  readonly app: string
  readonly environment: string
  readonly endpoint: string
}

interface Deps {
  readonly store: Pick<Store, 'resources' | 'endpoints'>
  readonly endpoints: EndpointCache
}

export function createDeployedEndpoints({ store, endpoints }: Deps) {
  const known = new Map<string, string>()
  let changes = 0
  return {
    /** By the `X-Flash-*` headers. @throws RunyardError('not_found') with one sentence */
    async find(ownerId: string, headers: IncomingHttpHeaders): Promise<Endpoint> {
      const names = namesIn(headers)
      const key = JSON.stringify([ownerId, names])
      const id = known.get(key)
      const remembered = id === undefined ? undefined : (endpoints.known(id) ?? (await endpoints.get(id)))
      if (remembered !== undefined) return remembered
      const before = changes
      const found = await look(store, ownerId, names)
      if (known.size >= MOST_REMEMBERED) known.clear()
      // A change in the meantime may have moved it.
      if (before === changes) known.set(key, found.id)
      return found
    },
    forget() {
      changes += 1
      known.clear()
    },
  }
}

function namesIn(headers: IncomingHttpHeaders): Names {
  const read = (name: string): string => {
    const value = headers[`x-flash-${name}`]
    return typeof value === 'string' ? value : ''
  }
  return { app: read('app'), environment: read('environment'), endpoint: read('endpoint') }
}

async function look(store: Deps['store'], ownerId: string, names: Names): Promise<Endpoint> {
  const { apps, environments } = store.resources
  const [ownApps, ownEnvironments, own] = await Promise.all([apps.list(ownerId), environments.list(ownerId), store.endpoints.list(ownerId)])
  const app = ownApps.find(({ name }) => name === names.app)
  const environment = ownEnvironments.find(({ appId, name }) => appId === app?.id && name === names.environment)
  const found =
    own.find((each) => isIn(each, environment?.id) && deployedName(each.name) === deployedName(names.endpoint)) ??
    // A stub may name an endpoint by its id (sdk2-api §4.1).
    own.find(({ id }) => id === names.endpoint)
  if (found !== undefined) return found
  throw new RunyardError('not_found', sentence(names, { app, environment }))
}

function isIn({ flashEnvironmentId }: Endpoint, environmentId: string | undefined): boolean {
  return environmentId !== undefined && flashEnvironmentId === environmentId
}

function sentence({ app, environment, endpoint }: Names, found: { readonly app: unknown; readonly environment: unknown }): string {
  if (app === '' || endpoint === '')
    return 'a call of a deployed app names it in the headers X-Flash-App, X-Flash-Environment and X-Flash-Endpoint'
  if (found.app === undefined) return `there is no app ${quoted(app)}; deploy it with \`flash deploy\` or \`rp flash deploy\``
  if (found.environment === undefined) return `the app ${quoted(app)} has no environment ${quoted(environment)}`
  return `the environment ${quoted(environment)} of the app ${quoted(app)} has no endpoint ${quoted(endpoint)}`
}
