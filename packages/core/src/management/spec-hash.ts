// Values compared by content. The text of a spec is the same whatever the order of its variables, so a template that is saved again
// unchanged replaces no worker (flash-api §5.5).
import type { Endpoint, EndpointSpec } from '@runyard/schema'

/**
 * Its hash identifies what a worker container is made of. The routing type counts: a worker that serves HTTP is another container than one that
 * takes jobs. No entrypoint and an empty one are the same container.
 */
export function specText(type: Endpoint['type'], { entrypoint = [], ...rest }: EndpointSpec): string {
  const spec = entrypoint.length === 0 ? rest : { ...rest, entrypoint }
  return canonicalText({ type, spec })
}

/** Members that are undefined count as absent. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonicalText(a) === canonicalText(b)
}

function canonicalText(value: unknown): string {
  return JSON.stringify(canonical(value))
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, canonical(member)]))
}
