// GraphQL inputs → edits of a template, and the reply. An inline template describes the whole container; `saveTemplate` names only what it
// changes: Flash sends no ports and no registry, and those stay (flash-api §3.1, sdk2-api §3.1).
import { DEFAULT_CONTAINER, defined, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateContainer } from '@runyard/schema'
import { CONTAINER, NOTES } from '../template-fields.ts'
import type { TemplateInput } from './inputs.ts'
import { refuseUnsupportedTemplate } from './unsupported.ts'

/** What `saveTemplate` names. */
export function templateEdit(template: TemplateInput): TemplateEdit {
  refuseUnsupportedTemplate(template)
  return defined({ name: template.name ?? undefined, container: CONTAINER.graphql.read(template), notes: NOTES.graphql.read(template) })
}

/** The whole container of an inline template: members that are not given are back at their default; the image stays. */
export function inlineContainer(template: TemplateInput): Partial<TemplateContainer> {
  const { image: _, ...defaults } = DEFAULT_CONTAINER
  return { ...defaults, ...CONTAINER.graphql.read(template) }
}

export function templateReply({ id, name, container, notes }: Template): Readonly<Record<string, unknown>> {
  return { id, name, isRunpod: false, ...CONTAINER.graphql.write(container), ...NOTES.graphql.write(notes) }
}
