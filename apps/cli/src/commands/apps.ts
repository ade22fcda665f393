// `runyard apps`: deployed apps with their environments, the active build and the endpoints of each.
import type { Client } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { printListing, type Listing } from '../output/listing.ts'
import { findClient } from '../settings.ts'

const QUERY = `query { myself { flashApps { id name createdAt flashBuilds { id createdAt }
  flashEnvironments { id name state activeBuildId createdAt endpoints { id name } } } } }`

export interface AppFacts {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly flashBuilds: readonly { readonly id: string; readonly createdAt: string }[]
  readonly flashEnvironments: readonly {
    readonly id: string
    readonly name: string
    readonly state: string
    readonly activeBuildId: string | null
    readonly createdAt: string
    readonly endpoints: readonly { readonly id: string; readonly name: string }[]
  }[]
}

export async function readApps(client: Pick<Client, 'graphql'>): Promise<readonly AppFacts[]> {
  return (await client.graphql<{ myself: { flashApps: readonly AppFacts[] } }>(QUERY)).myself.flashApps
}

export async function run(context: CommandContext): Promise<number> {
  return printListing(context, appListing(await readApps(await findClient(context))))
}

interface AppRow {
  readonly app: string
  readonly environment: string
  readonly build: string
  readonly endpoints: string
}

export function appListing(apps: readonly AppFacts[]): Listing<AppRow> {
  return {
    rows: apps.flatMap(rowsOf),
    columns: [
      { title: 'app', cell: ({ app }) => app, cut: 'middle' },
      { title: 'environment', cell: ({ environment }) => environment, cut: 'middle' },
      { title: 'active build', cell: ({ build }) => build, cut: 'end', goes: 2 },
      { title: 'endpoints', cell: ({ endpoints }) => endpoints, cut: 'end', goes: 1 },
    ],
    data: apps,
    empty: 'no apps yet; `flash deploy` or `rp flash deploy` makes one',
  }
}

function rowsOf({ name: app, flashEnvironments, flashBuilds }: AppFacts): readonly AppRow[] {
  if (flashEnvironments.length === 0) return [{ app, environment: 'no environment', build: '–', endpoints: '–' }]
  return flashEnvironments.map(({ name: environment, activeBuildId, endpoints }) => {
    const built = flashBuilds.find(({ id }) => id === activeBuildId)?.createdAt
    const build = activeBuildId === null ? 'none yet' : `${activeBuildId}${built === undefined ? '' : ` of ${built.slice(0, 16)}`}`
    return { app, environment, build, endpoints: endpoints.length === 0 ? '–' : endpoints.map(({ name }) => name).join(', ') }
  })
}

/** Endpoint → `app/environment`. */
export function environmentsOf(apps: readonly AppFacts[]): ReadonlyMap<string, string> {
  return new Map(
    apps.flatMap((app) =>
      app.flashEnvironments.flatMap(({ name, endpoints }) => endpoints.map(({ id }) => [id, `${app.name}/${name}`] as const)),
    ),
  )
}
