// Templates: what an edit makes of one, and how endpoints follow it. A changed container of a shared template is a new version of each of its
// endpoints. Endpoints that copied a template do not change (ADR 21).
import { DEFAULT_NOTES, quoted, RunyardError, Template, type Endpoint, type TemplateContainer, type TemplateNotes } from '@runyard/schema'
import { applyChange, containerOf, DEFAULT_CONTAINER, type ModelTools } from './endpoint-change.ts'
import { checkTemplate } from './endpoint-check.ts'
import { namesOf, type FollowContext, type ResourceKind } from './resource-kind.ts'
import { isSame } from './spec-hash.ts'

/** Members that are absent keep their value; on a new template they take their default. */
export interface TemplateEdit {
  readonly name?: string
  readonly container?: Partial<TemplateContainer>
  readonly notes?: Partial<TemplateNotes>
}

export const TEMPLATES: ResourceKind<Template, Template> = {
  name: 'templates',
  schema: Template,
  field: (_ownerId, id) => id,
  show: (template) => template,
  check: checkTemplate,
  usedBy: ({ sharedTemplateId }) => (sharedTemplateId === undefined ? [] : [sharedTemplateId]),
  references: ({ container: { registryId } }, kind) => (kind === 'registries' && registryId !== null ? [registryId] : []),
  without: (template) => ({ ...template, container: { ...template.container, registryId: null } }),
  isSame: (existing, wanted) => isSame([{ ...DEFAULT_CONTAINER, ...existing.container }, existing.notes], [wanted.container, wanted.notes]),
  follow,
  sentences: {
    many: 'templates',
    missing: (id) => `Template ${quoted(id)} was not found.`,
    unknown: (id) => `Template ${quoted(id)} was not found.`,
    taken: ({ name, id }) =>
      `A template named "${name}" exists already with another content (id ${id}); update or delete that one, or choose another name.`,
    inUse: ({ name }, users) => `Template "${name}" is used by ${users}; delete them or give them another template first.`,
    inseparable(isWanted, endpoints) {
      const holder = endpoints.find(({ templateId, templateName }) => isWanted(templateId, templateName))
      return holder && `This template belongs to the endpoint "${holder.name}" and goes with it; delete the endpoint.`
    },
  },
}

interface EditContext extends Pick<ModelTools, 'randomText'> {
  readonly ownerId: string
  readonly now: number
}

export function editTemplate(current: Template | undefined, edit: TemplateEdit, { ownerId, now, randomText }: EditContext): Template {
  const base = current ?? { id: randomText(10), name: '', ownerId, container: DEFAULT_CONTAINER, notes: DEFAULT_NOTES, createdAt: now }
  return {
    ...base,
    name: edit.name ?? base.name,
    container: { ...base.container, ...edit.container },
    notes: { ...base.notes, ...edit.notes },
    updatedAt: now,
  }
}

/** Only those whose container changes. */
function follow(template: Template, users: readonly Endpoint[], context: FollowContext): readonly Endpoint[] {
  if (users.length > 0 && !template.notes.isServerless)
    throw new RunyardError('conflict', `Template "${template.name}" is used by ${namesOf(users)}, so it must stay serverless.`)
  const change = { container: template.container, linkTemplate: true }
  return users.flatMap((endpoint) => {
    const next = applyChange(endpoint, change, { ...context, ownerId: template.ownerId, sharedTemplateId: template.id })
    return next.version === endpoint.version ? [] : [next]
  })
}

/** The template that is part of an endpoint's own record, as clients that address it see it (flash-api §5.5). */
export function boundTemplate(endpoint: Endpoint): Template {
  const readme = endpoint.echo['readme']
  return {
    id: endpoint.templateId,
    name: endpoint.templateName,
    ownerId: endpoint.ownerId,
    container: containerOf(endpoint.spec),
    notes: { ...DEFAULT_NOTES, isServerless: true, readme: typeof readme === 'string' ? readme : '' },
    createdAt: endpoint.createdAt,
    updatedAt: endpoint.updatedAt,
  }
}
