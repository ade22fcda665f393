// `runyard endpoints list` and `runyard endpoints show`. Values of environment variables may be secrets, so only `--json` shows them.
import type { CommandContext } from '../../command.ts'
import { renderRows } from '../../output/live-status.ts'
import { printListing, type Column, type Listing } from '../../output/listing.ts'
import { printJson } from '../../output/print-json.ts'
import { environmentsOf, readApps } from '../apps.ts'
import { findClient } from '../../settings.ts'
import { onlyWord } from '../../only-word.ts'
import { findEndpoint } from './find.ts'
import type { EndpointView } from '@runyard/schema/api'
import { renderTable } from '../../output/table.ts'
import type { Terminal } from '../../output/terminal.ts'

export async function list(context: CommandContext): Promise<number> {
  const client = await findClient(context)
  const endpoints = await client.listEndpoints()
  const environments = context.options['json'] === true ? new Map<string, string>() : environmentsOf(await readApps(client))
  return printListing(context, endpointListing(endpoints, environments))
}

export async function show(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = await findClient(context)
  const endpoint = await findEndpoint(client, word, context.err)
  if (options['json'] === true) return printJson(out, endpoint)
  const health = await client.jobs.health(endpoint.id)
  for (const line of [...renderEndpoint(endpoint, out), '', ...renderRows([{ ...endpoint, health }], out)]) out.line(line)
  return 0
}

/** `environments`: by id of an endpoint; without any there is no column for them. */
export function endpointListing(endpoints: readonly EndpointView[], environments: ReadonlyMap<string, string>): Listing<EndpointView> {
  const environment: Column<EndpointView> = { title: 'environment', cell: ({ id }) => environments.get(id) ?? '–', cut: 'middle', goes: 1 }
  return {
    rows: endpoints,
    columns: [
      { title: 'endpoint', cell: ({ name }) => name, cut: 'middle' },
      { title: 'id', cell: ({ id }) => id, goes: 4 },
      { title: 'image', cell: ({ image }) => image, cut: 'middle', goes: 3 },
      { title: 'hardware', cell: hardwareOf, cut: 'end', goes: 2 },
      { title: 'workers', cell: rangeOf },
      ...(environments.size > 0 ? [environment] : []),
    ],
    data: endpoints,
    empty: 'no endpoints yet; `runyard endpoints create --help` shows how to create one',
  }
}

export function renderEndpoint(endpoint: EndpointView, out: Terminal): readonly string[] {
  const { workers, timeout, env, requestUrls } = endpoint
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['image', endpoint.image],
    ['command', endpoint.args === '' ? undefined : endpoint.args],
    ['hardware', hardwareOf(endpoint)],
    ['registry', endpoint.registry ?? undefined],
    ['disk', endpoint.disk === undefined ? undefined : `${endpoint.disk} GB`],
    ['workers', rangeOf(endpoint)],
    ['stay warm', workers.idleTimeout === undefined ? undefined : `${workers.idleTimeout} s after their last job`],
    ['scale', scaleOf(endpoint)],
    ['priority', endpoint.priority === undefined ? undefined : `${endpoint.priority} where endpoints share GPUs`],
    ['time limit', timeout === 0 ? undefined : `${timeout / 1000} s for a job`],
    ['variables', Object.keys(env).length === 0 ? undefined : Object.keys(env).join(', ')],
    ['call it at', requestUrls['runSync'] ?? requestUrls['base']],
  ]
  const rows = facts.flatMap(([title, fact]) => (fact === undefined ? [] : [[`  ${out.dim(title)}`, fact]]))
  return [`${out.bold(endpoint.name)}  ${endpoint.id}`, ...renderTable(out, rows)]
}

function scaleOf({ scaling, requestsPerSecond = 0 }: EndpointView): string {
  if (scaling.type === 'QUEUE_DELAY') return `when a job has waited ${scaling.queueDelay} s`
  const rate = requestsPerSecond === 0 ? '' : `, or ${requestsPerSecond} requests per second`
  return `a worker for ${scaling.requestCount} jobs${rate}`
}

function rangeOf({ workers: { min, max } }: EndpointView): string {
  return max === 0 ? 'paused' : `${min}..${max}`
}

function hardwareOf({ gpu, cpu }: EndpointView): string {
  if (cpu !== undefined)
    return cpu.map(({ id, vcpuCount, memory }) => `${id}-${vcpuCount}${memory === undefined ? '' : `-${memory}`}`).join(', ')
  if (gpu === null) return '–'
  const without = gpu.excludedTypes.length === 0 ? '' : ` without ${gpu.excludedTypes.join(', ')}`
  // A list of all pools would fill the line.
  const pools = gpu.pools.length > 6 ? `${gpu.pools.slice(0, 3).join(', ')} and ${gpu.pools.length - 3} more pools` : gpu.pools.join(', ')
  return `${gpu.count > 1 ? `${gpu.count} × ` : ''}${pools}${without}`
}
