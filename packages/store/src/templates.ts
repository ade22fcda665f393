// Template records. A change of one is decided on a snapshot of all templates and endpoints and written together with the endpoints that
// it reaches, or not at all: a crash leaves no endpoint behind its template.
import type { Endpoint, Template } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { MAX_TRIES, tooBusy } from './endpoints.ts'
import { READ_LIBRARY, WRITE_TEMPLATE } from './scripts/library.ts'
import type { TemplateStore } from './types.ts'

export function createTemplateStore({ client, keys, run, signals }: StoreContext): TemplateStore {
  const library = [keys.templates, keys.endpoints.records, keys.revision]

  return {
    async get(id) {
      const text = await client.hget(keys.templates, id)
      return text === null ? undefined : (JSON.parse(text) as Template)
    },

    list: async () => Object.values(await client.hgetall(keys.templates)).map((text) => JSON.parse(text) as Template),

    async change(decide) {
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const [revision, templates, endpoints] = (await run(READ_LIBRARY, library, [])) as [string, string[], string[]]
        const decided = decide({
          templates: templates.map((text) => JSON.parse(text) as Template),
          endpoints: endpoints.map((text) => JSON.parse(text) as Endpoint),
        })
        const { template } = decided
        const changed = decided.endpoints.flatMap((endpoint) => [endpoint.id, JSON.stringify(endpoint)])
        const args = [revision, template.id, decided.kind === 'removed' ? '' : JSON.stringify(template), ...changed]
        if ((await run(WRITE_TEMPLATE, library, args)) !== 1) continue
        for (const { id } of decided.endpoints) signals.publish({ kind: 'endpoint-changed', endpointId: id })
        return template
      }
      throw tooBusy()
    },
  }
}
