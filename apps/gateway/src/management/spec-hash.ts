// The fingerprint of what a worker container is made of. Equal content gives an equal hash whatever the order in which a client
// listed its variables; so a template written back unchanged replaces no worker (flash-api §5.5).
import { createHash } from 'node:crypto'
import type { Endpoint, EndpointSpec } from '@runyard/schema'

/**
 * sha256, hex. The routing type counts: a worker that serves HTTP is another container than one that takes jobs. No entrypoint and an empty one
 * are the same container.
 */
export function specHashOf(type: Endpoint['type'], { entrypoint = [], ...rest }: EndpointSpec): string {
  const spec = entrypoint.length === 0 ? rest : { ...rest, entrypoint }
  return createHash('sha256')
    .update(JSON.stringify(canonical({ type, spec })))
    .digest('hex')
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, canonical(member)]))
}
