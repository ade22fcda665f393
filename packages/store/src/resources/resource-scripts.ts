// The scripts of all kinds of resources. Each kind is one hash, which Lua finds by the kind's name, so a new kind needs no Lua.
import { RESOURCE_KINDS, type ResourceKind } from '@runyard/core'
import { ownedLua } from '../endpoints/endpoint-lists.ts'
import type { Keys } from '../keys.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { list, row, text, word } from '../scripts/replies.ts'

type KindName = keyof typeof RESOURCE_KINDS

export const KINDS: readonly ResourceKind[] = Object.values(RESOURCE_KINDS)
/** The keys of all hashes, for the scripts that use `hashesLua`. */
export const KIND_NAMES = Object.keys(RESOURCE_KINDS) as readonly KindName[]

export const hashesLua = defineLua({ lua: `local HASHES = { ${KIND_NAMES.map((name) => `${name} = ${name}`).join(', ')} }\n` })

export function hashKeys(keys: Keys): { readonly [N in KindName]: string } {
  // A mapped type cannot be built field by field.
  return Object.fromEntries(KIND_NAMES.map((name) => [name, keys.resource(name)])) as { [N in KindName]: string }
}

export const readScript = defineScript({
  lua: new URL('./read-resources.lua', import.meta.url),
  uses: [hashesLua, ownedLua],
  keys: ['revision', 'endpoints', 'names', ...KIND_NAMES],
  args: { namesBegin: 'text', text: 'text', kinds: 'texts' },
  reply: row({ revision: text, endpoints: list(text), records: list(list(text)) }),
})

export const writeScript = defineScript(
  {
    lua: new URL('./write-resources.lua', import.meta.url),
    uses: [hashesLua],
    keys: ['revision', 'endpoints', 'manifests', 'artifactList', 'artifacts', 'holdersOf', ...KIND_NAMES],
    args: {
      expectedRevision: 'text',
      releasedUntil: 'number',
      /** The writes as three lists. */
      to: 'texts',
      fields: 'texts',
      records: 'texts',
      /** Artifacts that a record holds from now on, and those that one held. */
      held: 'texts',
      holders: 'texts',
      released: 'texts',
      releasers: 'texts',
      changed: 'signals',
    },
    reply: word('written', 'stale', 'gone'),
  },
  { changed: (reply) => reply === 'written' },
)

export const listHavingScript = defineScript({
  lua: new URL('./list-having.lua', import.meta.url),
  uses: [ownedLua],
  keys: ['records'],
  args: { text: 'text' },
  reply: list(text),
})
