// Template records. A change of one is written together with the endpoints that it reaches, or not at all.
import type { StoreContext } from '../context.ts'
import { createChangeLibrary, listHavingScript, type LibraryWrite } from './library.ts'
import { ownedBy, recordsHave } from './owned.ts'
import { readTemplate } from '../data/records.ts'
import type { TemplateChange, TemplateStore } from '../types.ts'

export function createTemplateStore(context: StoreContext): TemplateStore {
  const { client, keys, run } = context
  const change = createChangeLibrary(context)

  return {
    async get(id) {
      const text = await client.hget(keys.templates, id)
      return text === null ? undefined : readTemplate(text)
    },

    async list(ownerId) {
      const texts = await run(listHavingScript, { records: keys.templates, text: ownerId === undefined ? '' : recordsHave(ownerId) })
      return ownedBy(ownerId, texts.map(readTemplate))
    },

    change: (decide, ownerId) =>
      change((library) => {
        const decided = decide(library)
        return { result: decided.template, writes: writesOf(decided), changed: decided.endpoints }
      }, ownerId),
  }
}

function writesOf({ kind, template, endpoints }: TemplateChange): readonly LibraryWrite[] {
  const record = kind === 'removed' ? undefined : template
  return [
    { to: 'templates', field: template.id, record },
    ...endpoints.map((endpoint) => ({ to: 'endpoints' as const, field: endpoint.id, record: endpoint })),
  ]
}
