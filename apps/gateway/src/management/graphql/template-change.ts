// A template in GraphQL's words → a change of the model. An inline template describes the whole container; `saveTemplate`
// names only what it changes: ports and registry are not sent by Flash and stay (flash-api §3.1, sdk2-api §3.1).
import { defined, type TemplateEdit } from '@runyard/core'
import { RunyardError, TEMPLATE_CATEGORIES } from '@runyard/schema'
import type { TemplateContainer, TemplateNotes } from '@runyard/schema'
import { splitCommas } from './inputs.ts'
import type { TemplateInput } from './inputs.ts'
import { refuseUnsupportedTemplate } from './unsupported-input.ts'

/** What `saveTemplate` names. */
export function templateEdit(template: TemplateInput): TemplateEdit {
  refuseUnsupportedTemplate(template)
  return defined({ name: template.name ?? undefined, container: givenContainer(template), notes: givenNotes(template) })
}

function givenNotes(template: TemplateInput): Partial<TemplateNotes> {
  return defined({
    isServerless: template.isServerless ?? undefined,
    isPublic: template.isPublic ?? undefined,
    category: readCategory(template.category),
    readme: template.readme ?? undefined,
    volumeGb: template.volumeInGb ?? undefined,
    volumeMountPath: template.volumeMountPath ?? undefined,
    startSsh: template.startSsh ?? undefined,
    startJupyter: template.startJupyter ?? undefined,
  })
}

function readCategory(category: string | null | undefined): TemplateNotes['category'] | undefined {
  if (category == null || category === '') return undefined
  const known = TEMPLATE_CATEGORIES.find((candidate) => candidate === category)
  if (known !== undefined) return known
  throw new RunyardError(
    'bad_request',
    `The category of a template must be one of ${TEMPLATE_CATEGORIES.join(', ')}; "${category}" was given.`,
  )
}

/** The whole container of an inline template: members that are not given are back at their default; the image stays. */
export function inlineContainer(template: TemplateInput): Partial<TemplateContainer> {
  return { entrypoint: [], args: '', env: {}, diskGb: null, ports: [], registryId: null, ...givenContainer(template) }
}

function givenContainer(template: TemplateInput): Partial<TemplateContainer> {
  return defined({
    image: template.imageName == null || template.imageName === '' ? undefined : template.imageName,
    args: template.dockerArgs ?? undefined,
    env: template.env == null ? undefined : toEnvironment(template.env),
    // Clients that do not care send 0.
    diskGb: template.containerDiskInGb == null ? undefined : template.containerDiskInGb || null,
    ports: template.ports == null ? undefined : [...splitCommas(template.ports)],
    registryId: template.containerRegistryAuthId == null ? undefined : template.containerRegistryAuthId || null,
  })
}

/** A key that is given twice has its last value (sdk2-api §3.1). */
function toEnvironment(env: NonNullable<TemplateInput['env']>): Record<string, string> {
  return Object.fromEntries(env.map(({ key, value }) => [key, value ?? '']))
}
