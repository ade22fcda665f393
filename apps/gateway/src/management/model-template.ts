// What becomes of a template when somebody saves or deletes it: pure, on a snapshot of all templates and endpoints. A shared template
// carries its endpoints along: a changed container is a new version of each. Endpoints that copied a template are not touched (ADR 21).
import { isDeepStrictEqual } from 'node:util'
import type { Endpoint, Template, TemplateContainer, TemplateNotes } from '@runyard/schema'
import { DEFAULT_NOTES, quoted, RunyardError } from '@runyard/schema'
import { unknownRegistry, type Library, type TemplateChange } from '@runyard/store'
import { applyChange, containerOf } from './model-change.ts'
import { checkNumber, checkTemplate } from './model-check.ts'
import { newTemplateId } from './new-id.ts'

/** Members that are absent keep their value; on a new template they take their default. */
export interface TemplateEdit {
  readonly name?: string
  readonly container?: Partial<TemplateContainer>
  readonly notes?: Partial<TemplateNotes>
}

export interface TemplateRequest {
  readonly ownerId: string
  /** Undefined: a new one. */
  readonly id: string | undefined
  readonly edit: TemplateEdit
  readonly now: number
}

const DEFAULT_CONTAINER: TemplateContainer = { image: '', entrypoint: [], args: '', env: {}, diskGb: null, ports: [], registryId: null }

/** @throws RunyardError('not_found' | 'conflict' | 'bad_request' | 'unprocessable') with one sentence. */
export function decideSave(library: Library, request: TemplateRequest): TemplateChange {
  const { templates, endpoints } = library
  const { ownerId, id, now } = request
  const own = templates.filter((template) => template.ownerId === ownerId)
  const current = own.find((template) => template.id === id)
  if (id !== undefined && current === undefined) throw missingTemplate(id)
  const template = edited(current, request)
  checkTemplate(template)
  checkRegistry(library, template, current)
  const namesake = own.find((other) => other.name === template.name && other.id !== template.id)
  if (namesake !== undefined) return { kind: 'saved', template: sameAgain(namesake, template, id === undefined), endpoints: [] }
  if (current === undefined) checkNumber('templates', own.length)
  const users = endpoints.filter((endpoint) => endpoint.sharedTemplateId === template.id)
  if (users.length > 0 && !template.notes.isServerless)
    throw new RunyardError('conflict', `Template "${template.name}" is used by ${namesOf(users)}, so it must stay serverless.`)
  const change = { container: template.container, linkTemplate: true }
  const changed = users.map((endpoint) => applyChange(endpoint, change, { ownerId, now, sharedTemplateId: template.id }))
  return { kind: 'saved', template, endpoints: changed.filter((endpoint, index) => endpoint.version !== users[index]?.version) }
}

function edited(current: Template | undefined, { ownerId, edit, now }: TemplateRequest): Template {
  const base = current ?? { id: newTemplateId(), name: '', ownerId, container: DEFAULT_CONTAINER, notes: DEFAULT_NOTES, createdAt: now }
  return {
    ...base,
    name: edit.name ?? base.name,
    container: { ...base.container, ...edit.container },
    notes: { ...base.notes, ...edit.notes },
    updatedAt: now,
  }
}

/** Credentials that it did not name before must be its owner's. */
function checkRegistry({ registries }: Library, { ownerId, container: { registryId } }: Template, current: Template | undefined): void {
  if (registryId === null || registryId === current?.container.registryId) return
  const isKnown = registries.some((registry) => registry.ownerId === ownerId && registry.id === registryId)
  if (!isKnown) throw unknownRegistry(registryId)
}

/** Names are unique; a script that makes the same template twice gets the first one. */
function sameAgain(existing: Template, wanted: Template, isNew: boolean): Template {
  const container = { ...DEFAULT_CONTAINER, ...existing.container }
  if (isNew && isDeepStrictEqual([container, existing.notes], [wanted.container, wanted.notes])) return existing
  throw new RunyardError(
    'conflict',
    `A template named "${wanted.name}" exists already with another content (id ${existing.id}); update or delete that one, or choose another name.`,
  )
}

/** By id or by name. @throws RunyardError('not_found' | 'conflict') */
export function decideRemove(
  { templates, endpoints }: Library,
  ownerId: string,
  wanted: { id: string } | { name: string },
): TemplateChange {
  const isWanted = (id: string, name: string): boolean => ('id' in wanted ? wanted.id === id : wanted.name === name)
  const own = endpoints.filter((endpoint) => endpoint.ownerId === ownerId)
  const template = templates.find((each) => each.ownerId === ownerId && isWanted(each.id, each.name))
  if (template === undefined) {
    const holder = own.find((endpoint) => isWanted(endpoint.templateId, endpoint.templateName))
    if (holder === undefined) throw missingTemplate('id' in wanted ? wanted.id : wanted.name)
    throw new RunyardError('conflict', `This template belongs to the endpoint "${holder.name}" and goes with it; delete the endpoint.`)
  }
  const users = own.filter((endpoint) => endpoint.sharedTemplateId === template.id)
  if (users.length === 0) return { kind: 'removed', template, endpoints: [] }
  throw new RunyardError(
    'conflict',
    `Template "${template.name}" is used by ${namesOf(users)}; delete them or give them another template first.`,
  )
}

function namesOf(endpoints: readonly Endpoint[]): string {
  const [first, ...others] = endpoints.map((endpoint) => `"${endpoint.name}"`)
  return others.length === 0 ? `the endpoint ${first}` : `the endpoints ${[first, ...others].join(', ')}`
}

export function missingTemplate(id: string): RunyardError {
  return new RunyardError('not_found', `Template ${quoted(id)} was not found.`)
}

/** The template that lives in an endpoint's own record, as clients that address it see it (flash-api §5.5). */
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
