// What each GraphQL operation does: a translation into the management model and back, no rules of its own.
import type { Endpoint } from '@runyard/schema'
import { RunyardError } from '@runyard/schema'
import type { ApiKey, Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import type { ContainerChange } from '../model-change.ts'
import { endpointChange, isGiven, refuseUnsupported } from './endpoint-change.ts'
import type { EndpointInput, TemplateInput } from './inputs.ts'
import { endpointReply, templateReply } from './replies.ts'
import { SCALARS } from './scalars.ts'
import { createStock } from './stock.ts'
import { templateChange } from './template-change.ts'

export interface ResolverDeps {
  readonly model: ManagementModel
  readonly store: Pick<Store, 'status'>
}

interface IdFilter {
  readonly id?: string | null
  readonly ids?: readonly (string | null)[] | null
}

/** Every resolver's third argument. */
export interface RequestContext {
  readonly key: ApiKey
}

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}

export function createResolvers({ model, store }: ResolverDeps) {
  const stockOf = createStock({ model, store })

  const saveEndpoint = async (_: unknown, { input }: { input: EndpointInput }, { key: { ownerId } }: RequestContext) => {
    refuseUnsupported(input)
    const source = isGiven(input.templateId) ? await model.getByTemplate(ownerId, input.templateId) : undefined
    const target = isGiven(input.id) ? { id: input.id } : { name: input.name ?? '', flashEnvironmentId: input.flashEnvironmentId ?? null }
    const { endpoint } = await model.save(ownerId, target, (current) => endpointChange(input, current, containerOf(source, current)))
    return endpointReply(endpoint)
  }

  const saveTemplate = async (_: unknown, { input }: { input?: TemplateInput | null }, { key: { ownerId } }: RequestContext) => {
    if (input == null || !isGiven(input.id))
      throw new RunyardError('bad_request', 'Templates live with their endpoint here: saveTemplate needs the id of an endpoint’s template.')
    const bound = await model.getByTemplate(ownerId, input.id)
    const { endpoint } = await model.save(ownerId, { id: bound.id }, () => templateChange(input))
    return templateReply(endpoint)
  }

  return {
    ...SCALARS,
    Query: {
      myself: (_: unknown, __: unknown, { key }: RequestContext) => ({ id: key.ownerId }),
      podTemplate: async (_: unknown, { id }: { id?: string | null }, { key }: RequestContext) =>
        templateReply(await model.getByTemplate(key.ownerId, id ?? '')),
      gpuTypes: (_: unknown, { input }: { input?: IdFilter | null }) => wantedIds(input).map((id) => ({ id, displayName: id })),
      cpuFlavors: (_: unknown, { input }: { input?: IdFilter | null }) => wantedIds(input).map((id) => ({ id })),
    },
    Mutation: {
      saveEndpoint,
      saveTemplate,
      deleteEndpoint: async (_: unknown, { id }: { id: string }, { key }: RequestContext) => {
        await model.remove(key.ownerId, id)
        return null
      },
    },
    User: {
      endpoints: async (_: unknown, __: unknown, { key }: RequestContext) => (await model.list(key.ownerId)).map(endpointReply),
      endpoint: async (_: unknown, { id }: { id: string }, { key }: RequestContext) => endpointReply(await model.get(key.ownerId, id)),
    },
    GpuType: {
      lowestPrice: async ({ id }: { id: string }, _: unknown, { key }: RequestContext) => ({ stockStatus: await stockOf(key.ownerId, id) }),
    },
    CpuFlavor: {
      specifics: () => ({ stockStatus: 'High' }),
    },
  }
}

function wantedIds(input: IdFilter | null | undefined): readonly string[] {
  return [input?.id, ...(input?.ids ?? [])].filter((id) => id != null)
}

/** The container of another endpoint's template, copied; the endpoint's own needs no copy. */
function containerOf(source: Endpoint | undefined, current: Endpoint | undefined): ContainerChange | undefined {
  if (source === undefined || source.id === current?.id) return undefined
  const { image, args, env, diskGb, ports, registryId } = source.spec
  return { image, args, env, diskGb, ports, registryId }
}
