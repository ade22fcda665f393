// The management model: reads and writes endpoints, templates and registry credentials for every dialect. Core decides what a change results in,
// and the store's guarded writes apply it. Records of another owner are "not found".
import {
  applyChange,
  boundTemplate,
  checkWorkerCounts,
  defined,
  editRegistry,
  editTemplate,
  missingResource,
  rememberSpec,
  RESOURCE_KINDS,
  type Caller,
  type EndpointChange,
  type EndpointSave,
  type RegistryEdit,
  type TemplateEdit,
} from '@runyard/core'
import type { Config, Endpoint, JobRecord, Registry, RegistryCredentials, Template } from '@runyard/schema'
import { DEFAULT_DATA_CENTER, quoted, RECORD_LIMITS, RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ReadDataCenters } from './data-centers.ts'
import { createAppModel, type AppModel, type AppModelDeps } from './apps-model.ts'
import { createReleaseModel, noteRelease, type ReleaseModel } from './release-model.ts'
import { createModelCache, type ModelCache } from './model-cache.ts'
import { MODEL_TOOLS } from './model-tools.ts'
import { createAccountModel, type AccountModel } from './account-model.ts'
import { createSecretModel, type SecretModel } from './secret-model.ts'
import { createVolumeModel, type VolumeModel } from './volume-model.ts'

/** By id, it must exist; by name it is created or updated (flash-api §5.3: identity without `.flash/`). */
export type EndpointTarget = ({ readonly id: string } | { readonly name: string; readonly flashEnvironmentId: string | null }) & {
  /** A template that the change is to use. */
  readonly templateId?: string | undefined
  readonly by?: Caller | undefined
}

/** May run more than once: sees the endpoint, and the template that the target names, as they are now. */
export type DescribeChange = (current: Endpoint | undefined, template: Template | undefined) => EndpointChange

export interface Saved {
  readonly endpoint: Endpoint
  readonly created: boolean
  /** One sentence where an endpoint that was there has changed. */
  readonly notice: string | undefined
}

export interface ManagementModel {
  /** Oldest first. */
  list(ownerId: string): Promise<readonly Endpoint[]>
  /** @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<Endpoint>
  /** @throws RunyardError('not_found' | 'bad_request' | 'unprocessable') */
  save(ownerId: string, target: EndpointTarget, describe: DescribeChange): Promise<Saved>
  /** Failed starts are retried, as after a save. @throws RunyardError('not_found') */
  retry(ownerId: string, id: string, at: number): Promise<Endpoint>
  /** Its queued and running jobs are cancelled, its workers retired. @throws RunyardError('not_found') */
  remove(ownerId: string, id: string): Promise<void>
  readonly templates: TemplateModel
  readonly registries: RegistryModel
  readonly secrets: SecretModel
  readonly account: AccountModel
  readonly volumes: VolumeModel
  readonly apps: AppModel
  readonly releases: ReleaseModel
  readonly models: ModelCache
}

export type TemplateModel = ReturnType<typeof createTemplateModel>

export type RegistryModel = ReturnType<typeof createRegistryModel>

export type ModelStore = Pick<Store, 'endpoints' | 'resources' | 'volumes' | 'uploads' | 'manifests' | 'releases'>

/** Called before an endpoint is deleted. What it returns gets the jobs that ended with their endpoint. */
export type OnDelete = (endpoint: Endpoint) => Promise<(jobs: readonly JobRecord[]) => void>

export interface ModelOptions {
  readonly limits: Pick<Config['limits'], 'workersPerEndpoint' | 'workersPerOwner'>
  readonly apps: Config['apps']
  readonly models: Config['models']
  readonly clock?: () => number
  /** Absent: the default one alone. */
  readonly readDataCenters?: ReadDataCenters
  /** Called after each save of an endpoint that was there; its sentence is the notice. */
  readonly onChanged?: (save: EndpointSave) => Promise<string | undefined>
  readonly onDelete?: OnDelete | undefined
}

export function createManagementModel(
  store: ModelStore,
  { limits, apps, models: modelSettings, clock = Date.now, readDataCenters = theDefaultOne, onChanged, onDelete }: ModelOptions,
): ManagementModel {
  const get = async (ownerId: string, id: string): Promise<Endpoint> => {
    const endpoint = await store.endpoints.get(id)
    if (endpoint === undefined || endpoint.ownerId !== ownerId) throw missingEndpoint(id)
    return endpoint
  }
  const save: ManagementModel['save'] = async (ownerId, { templateId, by, ...find }, describe) => {
    let before: Endpoint | undefined
    const bound = templateId === undefined ? undefined : await findBound(store, templateId)
    const change = (current: Endpoint | undefined, shared: Template | undefined, beside: readonly Endpoint[]): Endpoint => {
      before = current
      if ('id' in find && current?.ownerId !== ownerId) throw missingEndpoint(find.id, FORGET_HINT)
      const template = templateId === undefined ? undefined : usable(shared ?? bound, ownerId, templateId)
      const next = applyChange(current, describe(current, template), {
        ...MODEL_TOOLS,
        ownerId,
        now: clock(),
        sharedTemplateId: shared?.id,
      })
      checkWorkerCounts(next, { current, beside, limits })
      return rememberSpec(current, next, by)
    }
    const options = { templateId, beside: limits.workersPerOwner > 0 ? ownerId : undefined, mostPerOwner: RECORD_LIMITS.perOwner }
    const endpoint = await store.endpoints.upsert('id' in find ? find : { ownerId, ...find }, change, options)
    await noteRelease(store, before, endpoint)
    const notice = before === undefined ? undefined : await onChanged?.({ before, endpoint, by })
    return { endpoint, created: before === undefined, notice }
  }

  const remove = createRemove(store, { get, onDelete })
  return {
    get,
    save,
    list: async (ownerId) => byAge((await store.endpoints.list(ownerId)).filter(({ task }) => task === undefined)),
    async retry(ownerId, id, at) {
      return store.endpoints.upsert({ id }, (current) => {
        if (current?.ownerId !== ownerId) throw missingEndpoint(id)
        return { ...current, retriedAt: at }
      })
    },
    remove,
    templates: createTemplateModel(store, { save, clock }),
    ...createResourceModels(store.resources, clock),
    volumes: createVolumeModel({ store, clock, readDataCenters }),
    releases: createReleaseModel(store, { get, clock }),
    ...createAppModels({ store, config: { apps }, clock, removeEndpoint: remove }, modelSettings),
  }
}

function createAppModels(deps: Omit<AppModelDeps, 'models'>, settings: Config['models']): Pick<ManagementModel, 'apps' | 'models'> {
  const models = createModelCache(deps.store, settings)
  return { models, apps: createAppModel({ ...deps, models }) }
}

type Removal = Pick<ManagementModel, 'get'> & Pick<ModelOptions, 'onDelete'>

function createRemove({ endpoints }: ModelStore, { get, onDelete }: Removal): ManagementModel['remove'] {
  return async (ownerId, id) => {
    const endpoint = await get(ownerId, id)
    await endpoints.delete(id, await onDelete?.(endpoint))
  }
}

const theDefaultOne: ReadDataCenters = async () => [{ id: DEFAULT_DATA_CENTER, hasGpu: () => true }]

/** Those that no endpoint has a say in. */
function createResourceModels(
  resources: ModelStore['resources'],
  clock: () => number,
): Pick<ManagementModel, 'registries' | 'secrets' | 'account'> {
  return {
    registries: createRegistryModel(resources, clock),
    secrets: createSecretModel(resources, clock),
    account: createAccountModel(resources, clock),
  }
}

interface TemplateModelDeps extends Pick<ManagementModel, 'save'> {
  readonly clock: () => number
}

const byAge = <T extends { readonly createdAt: number }>(records: readonly T[]): readonly T[] =>
  records.toSorted((a, b) => a.createdAt - b.createdAt)

function createTemplateModel(store: ModelStore, { save, clock }: TemplateModelDeps) {
  const { templates } = store.resources
  const saveTemplate = (ownerId: string, id: string | undefined, edit: TemplateEdit): Promise<Template> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return templates.save({ ...context, id, edit: (current) => editTemplate(current, edit, context) })
  }
  return {
    /** Oldest first; without those that live in an endpoint. */
    list: async (ownerId: string): Promise<readonly Template[]> => byAge(await templates.list(ownerId)),
    /** Also one that lives in an endpoint. @throws RunyardError('not_found') */
    async get(ownerId: string, id: string): Promise<Template> {
      return ownedBy((await templates.find(ownerId, id)) ?? (await findBound(store, id)), ownerId, id)
    },
    /** Without an id a new one. @throws RunyardError('not_found' | 'conflict' | 'bad_request' | 'unprocessable') */
    async save(ownerId: string, id: string | undefined, edit: TemplateEdit): Promise<Template> {
      const holder = id === undefined ? undefined : await store.endpoints.findByTemplate(id)
      if (holder === undefined) return saveTemplate(ownerId, id, edit)
      ownedBy(boundTemplate(holder), ownerId, holder.templateId)
      const { readme } = edit.notes ?? {}
      const change = defined({ templateName: edit.name, container: edit.container, echo: readme === undefined ? undefined : { readme } })
      return boundTemplate((await save(ownerId, { id: holder.id }, () => change)).endpoint)
    },
    /** @throws RunyardError('not_found' | 'conflict') */
    remove: (ownerId: string, wanted: { readonly id: string } | { readonly name: string }): Promise<void> =>
      templates.remove(ownerId, wanted),
  }
}

function createRegistryModel({ registries }: ModelStore['resources'], clock: () => number) {
  const saveRegistry = (ownerId: string, id: string | undefined, edit: Parameters<typeof editRegistry>[1]): Promise<Registry> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return registries.save({ ...context, id, edit: (current) => editRegistry(current, edit, context) })
  }
  return {
    /** Oldest first. */
    list: async (ownerId: string): Promise<readonly Registry[]> => byAge(await registries.list(ownerId)),
    /** @throws RunyardError('not_found') */
    get: (ownerId: string, id: string): Promise<Registry> => registries.get(ownerId, id),
    /** @throws RunyardError('bad_request' | 'conflict') */
    add: (ownerId: string, edit: RegistryEdit): Promise<Registry> => saveRegistry(ownerId, undefined, edit),
    /** Starts that failed with the old ones are tried again at once. @throws RunyardError('bad_request' | 'not_found') */
    replace: (ownerId: string, id: string, credentials: RegistryCredentials): Promise<Registry> => saveRegistry(ownerId, id, credentials),
    /** @throws RunyardError('not_found' | 'conflict') */
    remove: (ownerId: string, id: string): Promise<void> => registries.remove(ownerId, { id }),
  }
}

async function findBound(store: ModelStore, templateId: string): Promise<Template | undefined> {
  const holder = await store.endpoints.findByTemplate(templateId)
  return holder === undefined ? undefined : boundTemplate(holder)
}

function ownedBy(template: Template | undefined, ownerId: string, id: string): Template {
  if (template === undefined || template.ownerId !== ownerId) throw missingResource(RESOURCE_KINDS.templates, id)
  return template
}

function usable(found: Template | undefined, ownerId: string, id: string): Template {
  const template = ownedBy(found, ownerId, id)
  if (template.notes.isServerless) return template
  throw new RunyardError(
    'unprocessable',
    `Template "${template.name}" is for pods; an endpoint needs a serverless one (is_serverless=True in runpod, "serverless": true in REST v2, "isServerless": true in REST v1).`,
  )
}

/** A client that saves by id has it from somewhere; Flash has it from a file that outlives the server's data. */
const FORGET_HINT = ' If a Flash project still remembers it, delete its .flash directory.'

function missingEndpoint(id: string, hint = ''): RunyardError {
  return new RunyardError('not_found', `Endpoint ${quoted(id)} was not found.${hint}`)
}
