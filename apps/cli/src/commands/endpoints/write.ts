// `runyard endpoints create`, `update`, `retry` and `delete`, over REST v2.
import type { Client } from '@runyard/client'
import type { EndpointBody, EndpointView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import { confirm } from '../../ask.ts'
import { listOption, textOption, UsageError, type CommandContext } from '../../command.ts'
import { printJson } from '../../output/print-json.ts'
import { findClient } from '../../settings.ts'
import { findRegistry } from '../registries.ts'
import { onlyWord } from '../../only-word.ts'
import { findEndpoint, findExactly } from './find.ts'
import { renderEndpoint } from './read.ts'
import { inOptions, readBody, readEnv } from './request.ts'

export async function create(context: CommandContext): Promise<number> {
  const { name, image, ...body } = readBody(context)
  if (name === undefined || image === undefined) {
    const missing = [...(name === undefined ? ['--name'] : []), ...(image === undefined ? ['--image'] : [])].join(' and ')
    throw new UsageError(`a new endpoint needs ${missing}; \`runyard endpoints create --help\` shows all options.`)
  }
  const env = readEnv(context)
  const client = await findClient(context)
  await refuseTaken(client, name)
  const registry = await readRegistry(context, client)
  const hardware = body.cpu === undefined ? { gpu: { pools: ['any'], ...body.gpu } } : {}
  const scaling = body.scaling ?? { type: 'QUEUE_DELAY', queueDelay: 4 }
  const whole = { type: 'QUEUE', name, image, env, ...registry, ...body, scaling, ...hardware } as const
  const endpoint = await client.createEndpoint(whole).catch(rethrowInOptions)
  return printEndpoint(context, endpoint, 'created')
}

/** The API would update the existing endpoint and reset the fields that are not named (management §3.2). */
async function refuseTaken(client: Client, name: string): Promise<void> {
  const taken = (await client.listEndpoints()).find((endpoint) => endpoint.name === name)
  if (taken === undefined) return
  throw new RunyardError(
    'conflict',
    `an endpoint "${name}" exists already (${taken.id}); change it with \`runyard endpoints update ${name}\`.`,
  )
}

export async function update(context: CommandContext): Promise<number> {
  const word = onlyWord(context, 'endpoint by its name or id')
  const body = readBody(context)
  const [given, dropped] = [readEnv(context), listOption(context, 'unset-env')]
  const client = await findClient(context)
  const current = await findEndpoint(client, word, context.err)
  const change = { ...body, ...(await readRegistry(context, client)), ...changedEnv(current, given, dropped) }
  if (Object.keys(change).length === 0) {
    throw new UsageError('nothing to change was named; `runyard endpoints update --help` shows the options.')
  }
  return printEndpoint(context, await client.updateEndpoint(current.id, change).catch(rethrowInOptions), 'updated')
}

function rethrowInOptions(error: unknown): never {
  if (error instanceof RunyardError) throw inOptions(error)
  throw error
}

async function readRegistry(context: CommandContext, client: Client): Promise<Pick<EndpointBody, 'registry'>> {
  const word = textOption(context, 'registry')
  if (word === undefined) return {}
  return { registry: word === 'none' ? null : (await findRegistry(client, word)).id }
}

/** The API replaces all variables; users want to change only the named ones. */
function changedEnv({ env }: EndpointView, given: Readonly<Record<string, string>>, dropped: readonly string[]): Pick<EndpointBody, 'env'> {
  if (Object.keys(given).length === 0 && dropped.length === 0) return {}
  const kept = Object.entries(env).filter(([name]) => !dropped.includes(name))
  return { env: { ...Object.fromEntries(kept), ...given } }
}

export async function remove(context: CommandContext): Promise<number> {
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = await findClient(context)
  const { id, name } = await findExactly(client, word)
  const { jobs } = await client.jobs.health(id)
  const concerned = [
    ...(jobs.inProgress > 0 ? [`${jobs.inProgress} running`] : []),
    ...(jobs.inQueue > 0 ? [`${jobs.inQueue} waiting`] : []),
  ]
  if (concerned.length > 0 && !(await confirm(context, `${name} has jobs that would be cancelled (${concerned.join(', ')})`))) return 1
  await client.deleteEndpoint(id)
  context.out.line(`${name} (${id}) is deleted, its jobs are cancelled`)
  return 0
}

export async function retry(context: CommandContext): Promise<number> {
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = await findClient(context)
  const { id, name } = await findExactly(client, word)
  await client.retryEndpoint(id)
  context.out.line(`${name} (${id}): earlier failed starts are forgotten; what its jobs need is tried now`)
  return 0
}

function printEndpoint({ out, options }: CommandContext, endpoint: EndpointView, done: string): number {
  if (options['json'] === true) return printJson(out, endpoint)
  const [title = '', ...facts] = renderEndpoint(endpoint, out)
  for (const line of [`${title}  ${out.good(done)}`, ...facts]) out.line(line)
  return 0
}
