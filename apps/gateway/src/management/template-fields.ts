// A template's fields by their names in REST v2, REST v1 and GraphQL (management §2.2, §3.5, §4.2). Endpoints of REST v2 name their container's
// fields as templates do.
import { joinArgs, startCommandOf } from '@runyard/core'
import { RunyardError, TEMPLATE_CATEGORIES, type TemplateContainer, type TemplateNotes } from '@runyard/schema'
import type {
  CreateTemplateBody,
  TemplateView,
  UpdateTemplateBody,
  V1CreateTemplateBody,
  V1TemplateView,
  V1UpdateTemplateBody,
} from '@runyard/schema/api'
import { fieldTable, splitCommas, textOrNull, type Shape } from './fields.ts'
import type { TemplateInput } from './graphql/inputs.ts'

/** What is settled when a template is made has its name in that body alone. */
export type V2TemplateBody = UpdateTemplateBody & Partial<Pick<CreateTemplateBody, 'serverless'>>
export type V1TemplateBody = V1UpdateTemplateBody & Partial<Pick<V1CreateTemplateBody, 'isServerless' | 'category'>>

interface Dialects {
  v2: Shape<V2TemplateBody, TemplateView>
  v1: Shape<V1TemplateBody, V1TemplateView>
  graphql: Shape<TemplateInput, Readonly<Record<string, unknown>>>
}

const DEFAULT_DISK_GB = 50

export const CONTAINER = fieldTable<TemplateContainer, Dialects>()({
  image: { v2: 'image', v1: 'imageName', graphql: { name: 'imageName', read: (image) => image || undefined, write: (image) => image } },
  entrypoint: {
    v1: { name: 'dockerEntrypoint', read: (words) => words, write: (_, container) => [...startCommandOf(container).entrypoint] },
  },
  args: {
    v2: 'args',
    v1: { name: 'dockerStartCmd', read: joinArgs, write: (_, container) => [...startCommandOf(container).args] },
    graphql: 'dockerArgs',
  },
  env: { v2: 'env', v1: 'env', graphql: { name: 'env', read: toEnvironment, write: environmentReply } },
  diskGb: {
    // Clients ask for a number; this is what a template has where none was given (management §2.2).
    v2: { name: 'disk', read: (gb) => gb, write: (gb) => gb ?? DEFAULT_DISK_GB },
    v1: { name: 'containerDiskInGb', read: (gb) => gb, write: (gb) => gb ?? undefined },
    // Clients that do not care send 0.
    graphql: { name: 'containerDiskInGb', read: (gb) => gb || null, write: (gb) => gb },
  },
  ports: { v2: 'ports', v1: 'ports', graphql: { name: 'ports', read: splitCommas, write: (ports) => ports.join(',') } },
  registryId: {
    v2: 'registry',
    v1: { name: 'containerRegistryAuthId', read: textOrNull, write: (id) => id ?? undefined },
    graphql: { name: 'containerRegistryAuthId', read: textOrNull, write: (id) => id ?? '' },
  },
})

export const NOTES = fieldTable<TemplateNotes, Dialects>()({
  isServerless: { v2: 'serverless', v1: 'isServerless', graphql: 'isServerless' },
  isPublic: { v2: 'public', v1: 'isPublic', graphql: 'isPublic' },
  category: { v2: 'category', v1: 'category', graphql: { name: 'category', read: readCategory, write: (category) => category } },
  readme: { v2: 'readme', v1: 'readme', graphql: 'readme' },
  volumeGb: { v1: 'volumeInGb', graphql: 'volumeInGb' },
  volumeMountPath: { v1: 'volumeMountPath', graphql: 'volumeMountPath' },
  startSsh: { v2: 'startSsh', graphql: 'startSsh' },
  startJupyter: { v2: 'startJupyter', graphql: 'startJupyter' },
  allowedCudaVersions: { v2: 'allowedCudaVersions' },
})

export function environmentReply(env: TemplateContainer['env']): readonly { key: string; value: string }[] {
  return Object.entries(env).map(([key, value]) => ({ key, value }))
}

/** A key that is given twice has its last value (sdk2-api §3.1). */
function toEnvironment(env: NonNullable<TemplateInput['env']>): Record<string, string> {
  return Object.fromEntries(env.map(({ key, value }) => [key, value ?? '']))
}

function readCategory(category: string): TemplateNotes['category'] | undefined {
  if (category === '') return undefined
  const known = TEMPLATE_CATEGORIES.find((candidate) => candidate === category)
  if (known !== undefined) return known
  throw new RunyardError(
    'bad_request',
    `The category of a template must be one of ${TEMPLATE_CATEGORIES.join(', ')}; "${category}" was given.`,
  )
}
