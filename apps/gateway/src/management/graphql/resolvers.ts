// What each GraphQL operation does: a translation into the management model and back, no rules of its own.
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { createStock } from '../stock.ts'
import { templateSwap } from '../model-change.ts'
import { endpointChange, isGiven, refuseUnsupported } from './endpoint-change.ts'
import { gpuTypes } from './gpu-types.ts'
import type { EndpointInput, IdFilter, TemplateInput, TemplateSwap } from './inputs.ts'
import { registryMutations, registryReply } from './registry-mutations.ts'
import { endpointReply, templateReply } from './replies.ts'
import type { RequestContext } from './request-context.ts'
import { SCALARS } from './scalars.ts'
import { templateEdit } from './template-change.ts'

export interface ResolverDeps {
  readonly model: ManagementModel
  readonly store: Pick<Store, 'status'>
}

export function createResolvers({ model, store }: ResolverDeps) {
  const readStock = createStock({ model, store })

  return {
    ...SCALARS,
    Query: {
      myself: (_: unknown, __: unknown, { key }: RequestContext) => ({ id: key.ownerId, pubKey: null, networkVolumes: [] }),
      podTemplate: async (_: unknown, { id }: { id?: string | null }, { key }: RequestContext) =>
        templateReply(await model.templates.get(key.ownerId, id ?? '')),
      podTemplates: async (_: unknown, __: unknown, { key }: RequestContext) =>
        (await model.templates.list(key.ownerId)).map(templateReply),
      gpuTypes: (_: unknown, { input }: { input?: IdFilter | null }) => gpuTypes(input ?? {}),
      cpuFlavors: (_: unknown, { input }: { input?: IdFilter | null }) => wantedIds(input).map((id) => ({ id })),
    },
    Mutation: { ...endpointMutations(model), ...templateMutations(model), ...registryMutations(model) },
    User: {
      containerRegistryCreds: async (_: unknown, __: unknown, { key }: RequestContext) =>
        (await model.registries.list(key.ownerId)).map(registryReply),
      endpoints: async (_: unknown, __: unknown, { key }: RequestContext) => (await model.list(key.ownerId)).map(endpointReply),
      endpoint: async (_: unknown, { id }: { id: string }, { key }: RequestContext) => endpointReply(await model.get(key.ownerId, id)),
    },
    Endpoint: {
      template: async ({ templateId }: { templateId: string }, _: unknown, { key }: RequestContext) =>
        templateReply(await model.templates.get(key.ownerId, templateId)),
    },
    GpuType: {
      lowestPrice: async ({ id }: { id: string }, _: unknown, { key }: RequestContext) => ({
        stockStatus: (await readStock(key.ownerId))(id),
      }),
    },
    CpuFlavor: {
      specifics: () => ({ stockStatus: 'High' }),
    },
  }
}

function endpointMutations(model: ManagementModel) {
  return {
    saveEndpoint: async (_: unknown, { input }: { input: EndpointInput }, { key: { ownerId } }: RequestContext) => {
      refuseUnsupported(input)
      const find = isGiven(input.id) ? { id: input.id } : { name: input.name ?? '', flashEnvironmentId: input.flashEnvironmentId ?? null }
      const target = isGiven(input.templateId) ? { ...find, templateId: input.templateId } : find
      const { endpoint } = await model.save(ownerId, target, (current, template) => endpointChange(input, current, template))
      return endpointReply(endpoint)
    },
    updateEndpointTemplate: async (_: unknown, { input }: { input: TemplateSwap }, { key: { ownerId } }: RequestContext) => {
      const target = { id: input.endpointId, templateId: input.templateId }
      const { endpoint } = await model.save(ownerId, target, (current, template) => templateSwap(current, template))
      return endpointReply(endpoint)
    },
    deleteEndpoint: async (_: unknown, { id }: { id: string }, { key }: RequestContext) => {
      await model.remove(key.ownerId, id)
      return null
    },
  }
}

function templateMutations({ templates }: ManagementModel) {
  return {
    saveTemplate: async (_: unknown, { input }: { input?: TemplateInput | null }, { key: { ownerId } }: RequestContext) => {
      if (input == null) throw new RunyardError('bad_request', 'saveTemplate needs an input with at least name and imageName.')
      return templateReply(await templates.save(ownerId, isGiven(input.id) ? input.id : undefined, templateEdit(input)))
    },
    deleteTemplate: async (_: unknown, { templateName }: { templateName: string }, { key }: RequestContext) => {
      await templates.remove(key.ownerId, { name: templateName })
      return null
    },
  }
}

function wantedIds(input: IdFilter | null | undefined): readonly string[] {
  return [input?.id, ...(input?.ids ?? [])].filter((id) => id != null)
}
