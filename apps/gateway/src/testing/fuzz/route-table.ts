// The routes of an app, read from Fastify's own table: a route that is added tomorrow is fuzzed without being named anywhere.
import type { FastifyInstance } from 'fastify'

export interface KnownRoute {
  readonly method: string
  /** With `:name` parameters, and `*` at the end where it stands for any path. */
  readonly url: string
}

const INDENT = 4

/**
 * `│   └── /:id (PATCH, GET)` is one level below the last line with less indentation. Each line holds a piece of a path, down to single letters:
 * the other form of the list leaves out what is above a wildcard.
 */
export function routesOf(app: FastifyInstance): readonly KnownRoute[] {
  const above: string[] = []
  const routes: KnownRoute[] = []
  for (const line of app.printRoutes().split('\n')) {
    const [, indent = '', part, methods] = /^([│ ]*)[├└]── (\S*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    if (part === undefined) continue
    const depth = indent.length / INDENT
    const url = (above[depth - 1] ?? '') + part
    above[depth] = url
    for (const method of methods?.split(', ') ?? []) routes.push({ method, url })
  }
  return routes
}
