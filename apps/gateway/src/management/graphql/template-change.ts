// GraphQL's template as a table of fields. An inline template describes the whole container; `saveTemplate` names only what it changes: Flash
// sends no ports and no registry, and those stay (flash-api §3.1, sdk2-api §3.1).
import { defined, type TemplateEdit } from '@runyard/core'
import { RunyardError, TEMPLATE_CATEGORIES } from '@runyard/schema'
import type { Template, TemplateContainer, TemplateNotes } from '@runyard/schema'
import { fieldsOf, isNone, textOrNull } from '../fields.ts'
import { splitCommas } from './inputs.ts'
import type { TemplateInput } from './inputs.ts'
import { refuseUnsupportedTemplate } from './unsupported-input.ts'

type Reply = Readonly<Record<string, unknown>>

export const CONTAINER = fieldsOf<TemplateInput, Reply, TemplateContainer>(isNone)({
  image: { name: 'imageName', read: (image) => image || undefined, write: (image) => image },
  args: 'dockerArgs',
  env: { name: 'env', read: toEnvironment, write: environmentReply },
  // Clients that do not care send 0.
  diskGb: { name: 'containerDiskInGb', read: (gb) => gb || null, write: (gb) => gb },
  ports: { name: 'ports', read: (text) => [...splitCommas(text)], write: (ports) => ports.join(',') },
  registryId: { name: 'containerRegistryAuthId', read: textOrNull, write: (id) => id ?? '' },
})

export const NOTES = fieldsOf<TemplateInput, Reply, TemplateNotes>(isNone)({
  isServerless: 'isServerless',
  isPublic: 'isPublic',
  category: { name: 'category', read: readCategory, write: (category) => category },
  readme: 'readme',
  volumeGb: 'volumeInGb',
  volumeMountPath: 'volumeMountPath',
  startSsh: 'startSsh',
  startJupyter: 'startJupyter',
})

/** What `saveTemplate` names. */
export function templateEdit(template: TemplateInput): TemplateEdit {
  refuseUnsupportedTemplate(template)
  return defined({ name: template.name ?? undefined, container: CONTAINER.read(template), notes: NOTES.read(template) })
}

/** The whole container of an inline template: members that are not given are back at their default; the image stays. */
export function inlineContainer(template: TemplateInput): Partial<TemplateContainer> {
  return { entrypoint: [], args: '', env: {}, diskGb: null, ports: [], registryId: null, ...CONTAINER.read(template) }
}

export function templateReply({ id, name, container, notes }: Template): Reply {
  return { id, name, isRunpod: false, ...CONTAINER.write(container), ...NOTES.write(notes) }
}

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
