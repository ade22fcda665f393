// The management surfaces of the gateway: one model, spoken in GraphQL, REST v2 and REST v1. Each registers in a scope of its own, so that its
// way of failing and of reading bodies stays with its own routes.
import { createGpuCatalogue, type EndpointSave, describeChange } from '@runyard/core'
import type { ShownSetting } from '@runyard/kit'
import type { Config, Prices } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { FastifyInstance } from 'fastify'
import { createDataCenters } from './data-centers.ts'
import { createLoginModel } from '../login/login-model.ts'
import { registerLoginPage } from '../login/routes.ts'
import { registerUploads } from '../artifacts/upload-route.ts'
import { openPast, type Past } from '../parts/past.ts'
import type { Notices } from '../parts/notices.ts'
import type { ErrorLog } from './error-log.ts'
import { registerGraphql } from './graphql/plugin.ts'
import { createManagementModel, type OnDelete } from './model.ts'
import { registerRestV1 } from './rest-v1/routes.ts'
import { createTaskModel } from './task-model.ts'
import { registerNestedRest, registerRest } from './rest/routes.ts'

export interface ManagementDeps {
  readonly store: Store
  readonly config: Config
  readonly log: ErrorLog
  readonly notices: Pick<Notices, 'list' | 'test'>
  readonly onDelete?: OnDelete
  /** Default: those of `config`. */
  readonly prices?: () => Prices
  /** Default: none is shown. */
  readonly settings?: readonly ShownSetting[]
  /** Default: one of its own. */
  readonly past?: Past
}

/** Where clients expect REST v1: on a host of its own it is /v1, and `RUNPOD_REST_API_URL` is what `runyard env` prints. */
const V1_PREFIXES = ['/v1', '/rest/v1']

/** The public listener: /graphql, /v2/serverless…, /v1/endpoints…, /runyard/v1/…. */
export async function registerManagement(app: FastifyInstance, deps: ManagementDeps): Promise<void> {
  const { store, config, log, notices, onDelete, prices = () => config.prices, settings = [] } = deps
  const past = deps.past ?? openPast(store.history)
  const onChanged = (save: EndpointSave) => reportChange({ store, log }, save)
  const readDataCenters = createDataCenters({ store, config })
  const model = createManagementModel(store, { ...config, onChanged, onDelete, readDataCenters })
  const catalogue = createGpuCatalogue(config.gpuTypes)
  const logins = createLoginModel(store)
  const tasks = createTaskModel({ ...config, store, clock: Date.now, remove: (ownerId, id) => model.remove(ownerId, id) })
  await app.register(async (scope) => registerGraphql(scope, { model, catalogue, readDataCenters, logins, tasks, store, log }))
  await registerLoginPage(app, { store, logins, log })
  await app.register(async (scope) =>
    registerRest(scope, { model, catalogue, readDataCenters, tasks, store, config, past, prices, settings, notices, log }),
  )
  await app.register(async (scope) => registerUploads(scope, { store, config, log }))
  for (const prefix of V1_PREFIXES) await app.register(async (scope) => registerRestV1(scope, { model, store, config, log }), { prefix })
}

/** The worker plane: the list that a dev worker searches for its siblings, and nothing else (sdk2-api §4.1). */
export async function registerNestedManagement(app: FastifyInstance, { store, config, log }: ManagementDeps): Promise<void> {
  const model = createManagementModel(store, config)
  await app.register(async (scope) => registerNestedRest(scope, { model, store, log }))
}

interface ChangeReportDeps {
  readonly store: Pick<Store, 'events'>
  readonly log: ErrorLog
}

/**
 * Each change of an existing endpoint becomes an event in its history, a line in the log, and a notice to the client: the sentence that is returned.
 * Undefined: nothing changed. Never rejects, because the change itself is made.
 */
async function reportChange({ store, log }: ChangeReportDeps, save: EndpointSave): Promise<string | undefined> {
  const words = describeChange(save)
  if (words === undefined) return undefined
  const { before, endpoint, by } = save
  const { id: endpointId, name, updatedAt: at } = endpoint
  const { changed, isTurn, message, notice } = words
  const facts = { endpointId, endpoint: name, changed, client: by?.client, address: by?.address, before: before.savedBy }
  if (isTurn) log.warn(facts, 'two clients may change one endpoint in turn')
  else log.info(facts, 'endpoint changed')
  try {
    await store.events.append({ at, endpointId, kind: 'endpoint_changed', message })
  } catch (err) {
    log.warn({ endpointId, err }, 'the change of an endpoint is missing in its history')
  }
  return notice
}
