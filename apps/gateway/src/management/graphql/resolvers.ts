// What each GraphQL operation does: a translation into the management model and back, no rules of its own.
import { boundTemplate, HIDDEN_VALUE, makerOf, mayCall, templateSwap, type GpuCatalogue, type GpuType } from '@runyard/core'
import { RunyardError, type Endpoint, type Registry } from '@runyard/schema'
import { scopeOfField } from '@runyard/schema/api'
import { checkScope } from '../../http/authenticate.ts'
import type { LoginModel } from '../../login/login-model.ts'
import type { ReadDataCenters } from '../data-centers.ts'
import { splitCommas } from '../fields.ts'
import type { ManagementModel } from '../model.ts'
import type { TaskModel } from '../task-model.ts'
import { appFields, appMutations, appQueries, appReply } from './apps.ts'
import { accountResolvers, loginResolvers, secretResolvers } from './account-resolvers.ts'
import { endpointChange, endpointReply, isGiven, type EndpointReply } from './endpoint-change.ts'
import type { EndpointInput, IdFilter, Input, TemplateInput } from './inputs.ts'
import type { Reads } from './reads.ts'
import type { RequestContext } from './request-context.ts'
import { SCALARS } from './scalars.ts'
import { templateEdit, templateReply } from './template-change.ts'
import { taskMutations } from './task-resolvers.ts'
import { refuseUnsupported } from './unsupported.ts'
import { dataCenterResolvers, volumeResolvers } from './volume-resolvers.ts'

export interface ResolverDeps {
  readonly model: ManagementModel
  readonly catalogue: GpuCatalogue
  readonly readDataCenters: ReadDataCenters
  readonly logins: LoginModel
  readonly tasks: TaskModel
}

export function createResolvers(deps: ResolverDeps) {
  const { Query, Mutation, User, ...types } = resolversOf(deps)
  return { ...types, Query: scoped('Query', Query), Mutation: scoped('Mutation', Mutation), User: scoped('User', User) }
}

function resolversOf({ model, catalogue, readDataCenters, logins, tasks }: ResolverDeps) {
  const login = loginResolvers(logins)
  const account = accountResolvers(model.account)
  const volumes = volumeResolvers(model.volumes)
  const secrets = secretResolvers(model.secrets)
  const centers = dataCenterResolvers(catalogue, readDataCenters)
  return {
    ...SCALARS,
    Query: { ...queries(model, catalogue), ...login.query, ...account.query, ...centers.query, ...appQueries(model.apps) },
    Mutation: asSteps({
      ...endpointMutations(model),
      ...templateMutations(model),
      ...registryMutations(model),
      ...volumes.mutations,
      ...taskMutations(tasks),
      ...secrets.mutations,
      ...login.mutations,
      ...appMutations(model.apps),
      ...account.mutations,
    }),
    User: {
      containerRegistryCreds: async (_: unknown, { key, reads }: RequestContext) => {
        reads.step('read')
        return reads.rows(await model.registries.list(key.ownerId)).map(registryReply)
      },
      ...account.ofUser,
      ...volumes.ofUser,
      ...secrets.ofUser,
      endpoints: async (_: unknown, { reads }: RequestContext) => reads.rows(await reads.endpoints()).map(endpointReply),
      flashApps: async (_: unknown, { reads }: RequestContext) => reads.rows((await reads.apps()).apps).map(appReply),
      endpoint: async ({ id }: { id: string }, { key, reads }: RequestContext) => {
        reads.step('read')
        return endpointReply(await model.get(key.ownerId, id))
      },
    },
    ...appFields(model.apps),
    Endpoint: {
      ...volumes.ofEndpoint,
      template: ({ source }: EndpointReply, _: unknown, { reads }: RequestContext) => templateOf(source, reads),
      env: environment,
    },
    PodTemplate: { env: environment, portsConfig },
    DataCenter: centers.DataCenter,
    ...STOCK,
  }
}

const STOCK = {
  GpuType: {
    lowestPrice: async ({ id }: { id: string }, _: unknown, { reads }: RequestContext) => ({ stockStatus: (await reads.stock())(id) }),
  },
  CpuFlavor: { specifics: () => ({ stockStatus: 'High' }) },
}

function queries(model: ManagementModel, catalogue: GpuCatalogue) {
  return {
    podTemplate: async ({ id }: { id?: string | null }, { key, reads }: RequestContext) => {
      reads.step('read')
      return templateReply(await model.templates.get(key.ownerId, id ?? ''))
    },
    podTemplates: async ({ input }: { input?: Input<'PodTemplateInput'> | null }, { reads }: RequestContext) =>
      input?.isRunpod === true || input?.isPublic === true ? [] : reads.rows(await reads.templates()).map(templateReply),
    gpuTypes: ({ input }: { input?: IdFilter | null }, { reads }: RequestContext) => reads.rows(gpuTypes(catalogue, input ?? {})),
    cpuFlavors: ({ input }: { input?: IdFilter | null }, { reads }: RequestContext) => reads.rows(wantedIds(input)).map((id) => ({ id })),
    serverlessGpuPools: () => gpuPools(catalogue),
  }
}

/** Of a root field, which has no parent. */
type Resolve = (args: never, context: RequestContext) => unknown

/** Each alias of a mutation changes something again. */
function asSteps(mutations: Readonly<Record<string, Resolve>>): Readonly<Record<string, Resolve>> {
  const asStep =
    (change: Resolve): Resolve =>
    (args, context) => {
      context.reads.step('change')
      return change(args, context)
    }
  return Object.fromEntries(Object.entries(mutations).map(([name, change]) => [name, asStep(change)]))
}

/** Each field asks for its own scope (ADR 81): one request may name fields of several. */
function scoped(type: string, fields: Readonly<Record<string, Resolve>>) {
  const guard = (name: string, resolve: Resolve) => {
    const needed = scopeOfField(type, name)
    return (_parent: unknown, args: never, context: RequestContext): unknown => {
      checkScope(context.key, needed)
      return resolve(args, context)
    }
  }
  return Object.fromEntries(Object.entries(fields).map(([name, resolve]) => [name, guard(name, resolve)]))
}

/** Ports have no names here (management §4.3). */
function portsConfig({ ports }: { readonly ports?: string | null }): readonly Record<string, string>[] {
  return splitCommas(ports ?? '').map((port) => ({ port, name: '' }))
}

function environment({ env }: { readonly env: Environment }, _: unknown, { key, reads }: RequestContext): Environment {
  return reads.rows(mayCall(key, ['admin']) ? env : env.map((variable) => ({ ...variable, value: HIDDEN_VALUE })))
}

type Environment = readonly { readonly key: string; readonly value: string }[]

/** One that lives in its endpoint needs no read. */
async function templateOf(endpoint: Endpoint, reads: Reads): Promise<Record<string, unknown>> {
  const { sharedTemplateId } = endpoint
  return templateReply(sharedTemplateId === undefined ? boundTemplate(endpoint) : await reads.template(sharedTemplateId))
}

/** Asked for before the save, which may be tried again. */
async function modelsFor(model: ManagementModel, ownerId: string, { id, modelReferences, template }: EndpointInput) {
  const references = modelReferences ?? []
  if (references.length === 0) return []
  const spec = isGiven(id) ? (await model.get(ownerId, id)).spec : undefined
  const given = variablesIn(template?.env)
  return model.models.resolve(ownerId, { references, env: given ?? spec?.env ?? {}, kept: spec?.models ?? [] })
}

function variablesIn(env: TemplateInput['env']): Readonly<Record<string, string>> | undefined {
  return env == null ? undefined : Object.fromEntries(env.map(({ key, value }) => [key, value ?? '']))
}

function endpointMutations(model: ManagementModel) {
  return {
    saveEndpoint: async ({ input }: { input: EndpointInput }, { key: { ownerId }, by, notices }: RequestContext) => {
      refuseUnsupported(input)
      const find = isGiven(input.id) ? { id: input.id } : { name: input.name ?? '', flashEnvironmentId: input.flashEnvironmentId ?? null }
      const target = isGiven(input.templateId) ? { ...find, templateId: input.templateId, by } : { ...find, by }
      const models = await modelsFor(model, ownerId, input)
      const { endpoint, notice } = await model.save(ownerId, target, (current, template) =>
        endpointChange(input, current, { template, models }),
      )
      if (notice !== undefined) notices.push(notice)
      return endpointReply(endpoint)
    },
    updateEndpointTemplate: async (
      { input }: { input: Input<'UpdateEndpointTemplateInput'> },
      { key: { ownerId }, by, notices }: RequestContext,
    ) => {
      const target = { id: input.endpointId, templateId: input.templateId, by }
      const { endpoint, notice } = await model.save(ownerId, target, (current, template) => templateSwap(current, template))
      if (notice !== undefined) notices.push(notice)
      return endpointReply(endpoint)
    },
    deleteEndpoint: async ({ id }: { id: string }, { key }: RequestContext) => {
      await model.remove(key.ownerId, id)
      return null
    },
  }
}

function templateMutations({ templates }: ManagementModel) {
  return {
    saveTemplate: async ({ input }: { input?: TemplateInput | null }, { key: { ownerId } }: RequestContext) => {
      if (input == null) throw new RunyardError('bad_request', 'saveTemplate needs an input with at least name and imageName.')
      return templateReply(await templates.save(ownerId, isGiven(input.id) ? input.id : undefined, templateEdit(input)))
    },
    deleteTemplate: async ({ templateName }: { templateName: string }, { key }: RequestContext) => {
      await templates.remove(key.ownerId, { name: templateName })
      return null
    },
  }
}

function wantedIds(input: IdFilter | null | undefined): readonly string[] {
  return [input?.id, ...(input?.ids ?? [])].filter((id) => id != null)
}

/**
 * The whole catalogue without an id, or the stock of any id that a waiting client asks for (flash-api §3). An `id` that the catalogue does not
 * have is answered with none, which `runpod.get_gpu` turns into its own error (management §4.2).
 */
function gpuTypes(catalogue: GpuCatalogue, { id, ids }: IdFilter): readonly Record<string, unknown>[] {
  if (ids != null) return ids.filter((each) => each != null).map((each) => stockReply(catalogue, each))
  return catalogue.types.filter((type) => id == null || type === catalogue.find(id)).map(toReply)
}

/** Which types each pool has (management §4.3). */
function gpuPools(catalogue: GpuCatalogue): readonly Record<string, unknown>[] {
  const pooled = catalogue.types.filter(({ pool }) => pool !== null)
  return [...Map.groupBy(pooled, ({ pool }) => pool)].map(([id, types]) => ({ id, gpuTypeIds: types.map((type) => type.id) }))
}

/** Pools, too, are asked for. */
function stockReply(catalogue: GpuCatalogue, id: string): Record<string, unknown> {
  const type = catalogue.find(id)
  return type === undefined ? { id, displayName: id } : toReply(type)
}

function toReply({ id, displayName, memoryGb, maxCount }: GpuType): Record<string, unknown> {
  return {
    id,
    displayName,
    memoryInGb: memoryGb,
    manufacturer: makerOf(id),
    maxGpuCount: maxCount,
    secureCloud: true,
    communityCloud: false,
  }
}

/** As runpod-python 1.x speaks it, and 2.0 still does for updates (management §4.2, sdk2-api §7.2). */
const registryReply = ({ id, name }: Registry): Record<string, unknown> => ({ id, name })

function registryMutations({ registries }: Pick<ManagementModel, 'registries'>) {
  return {
    saveRegistryAuth: async ({ input }: { input: Input<'SaveRegistryAuthInput'> }, { key }: RequestContext) =>
      registryReply(await registries.add(key.ownerId, { ...input })),
    updateRegistryAuth: async ({ input: { id, ...credentials } }: { input: Input<'UpdateRegistryAuthInput'> }, { key }: RequestContext) =>
      registryReply(await registries.replace(key.ownerId, id, credentials)),
    deleteRegistryAuth: async ({ registryAuthId }: { registryAuthId: string }, { key }: RequestContext) => {
      await registries.remove(key.ownerId, registryAuthId)
      return true
    },
  }
}
