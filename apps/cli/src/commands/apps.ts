// `runyard apps`: deployed apps with their environments, the active build and the endpoints of each.
import { createClient, type Client } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { findTarget } from '../settings.ts'

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
  const { out, options } = context
  const apps = await readApps(createClient(await findTarget(context)))
  if (options['json'] === true) return printJson(out, apps)
  for (const line of renderApps(apps, out)) out.line(line)
  return 0
}

export function renderApps(apps: readonly AppFacts[], out: Terminal): readonly string[] {
  if (apps.length === 0) return [out.dim('no apps yet; `flash deploy` or `rp flash deploy` makes one')]
  const rows = apps.flatMap(({ name, flashEnvironments, flashBuilds }) =>
    flashEnvironments.length === 0
      ? [[name, out.dim('no environment'), '–', '–']]
      : flashEnvironments.map((environment) => {
          const { activeBuildId, endpoints } = environment
          const built = flashBuilds.find(({ id }) => id === activeBuildId)?.createdAt
          const build = activeBuildId === null ? 'none yet' : `${activeBuildId}${built === undefined ? '' : ` of ${built.slice(0, 16)}`}`
          return [name, environment.name, build, endpoints.length === 0 ? '–' : endpoints.map((endpoint) => endpoint.name).join(', ')]
        }),
  )
  return renderTable(out, rows, ['app', 'environment', 'active build', 'endpoints'])
}

/** Endpoint → `app/environment`. */
export function environmentsOf(apps: readonly AppFacts[]): ReadonlyMap<string, string> {
  return new Map(
    apps.flatMap((app) =>
      app.flashEnvironments.flatMap(({ name, endpoints }) => endpoints.map(({ id }) => [id, `${app.name}/${name}`] as const)),
    ),
  )
}
