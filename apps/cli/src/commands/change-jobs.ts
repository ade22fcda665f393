// `runyard cancel`, `retry` and `purge`: one job, or all that match. What concerns many jobs is counted first, and asked for.
import type { Client } from '@runyard/client'
import type { BulkView } from '@runyard/schema/api'
import { confirm } from '../ask.ts'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { findClient } from '../settings.ts'
import { onlyWord } from '../only-word.ts'
import { findEndpoint, findExactly } from './endpoints/find.ts'
import { findJob, readSearch, readStatuses } from './jobs.ts'

type Action = 'cancel' | 'retry'

const DONE = { cancel: 'cancelled', retry: 'queued again' } as const
const FILTERS = ['endpoint', 'status', 'since', 'until', 'key', 'worker', 'error', 'grep', 'all']
const MOST_AT_ONCE = 10_000

export function cancel(context: CommandContext): Promise<number> {
  return change(context, 'cancel')
}

export function retry(context: CommandContext): Promise<number> {
  return change(context, 'retry')
}

/** All waiting jobs of one endpoint. */
export async function purge(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = await findClient(context)
  const { id, name } = await findExactly(client, word)
  const { jobs } = await client.jobs.health(id)
  const what = `${count(jobs.inQueue)} that wait${jobs.inQueue === 1 ? 's' : ''} on ${name}`
  if (options['dry-run'] === true || jobs.inQueue === 0) {
    out.line(jobs.inQueue === 0 ? `no job waits on ${name}` : `this would cancel ${what}`)
    return 0
  }
  if (!(await confirm(context, `this cancels ${what}`))) return 1
  out.line(`${count(await client.jobs.purge(id))} cancelled`)
  return 0
}

async function change(context: CommandContext, action: Action): Promise<number> {
  const { positionals: words, options } = context
  const isByFilter = FILTERS.some((name) => options[name] !== undefined)
  if (words.length > 0 && isByFilter) throw new UsageError('name jobs, or a filter, but not both.')
  if (words.length === 0 && !isByFilter) {
    throw new UsageError(
      `name jobs by their ids, or which: --endpoint NAME, --status, --since, --error, or --all; \`runyard jobs\` lists them.`,
    )
  }
  const client = await findClient(context)
  return isByFilter ? changeMatching(context, client, action) : changeNamed(context, client, action)
}

async function changeNamed({ positionals: words, out, err, options }: CommandContext, client: Client, action: Action): Promise<number> {
  const jobs = await Promise.all(words.map((word) => findJob(client, word, err)))
  for (const { id, endpoint } of jobs) {
    if (options['dry-run'] !== true) await client.jobs[action](endpoint.id, id)
    out.line(
      options['dry-run'] === true ? `this would ${action} ${id} of ${endpoint.name}` : `${id} of ${endpoint.name} is ${DONE[action]}`,
    )
  }
  return 0
}

async function changeMatching(context: CommandContext, client: Client, action: Action): Promise<number> {
  const { out, options } = context
  const word = textOption(context, 'endpoint')
  const endpoint = word === undefined ? undefined : await findEndpoint(client, word, context.err)
  const filters = readStatuses(context).map((status) => ({ ...readSearch(context), status, endpoint: endpoint?.id }))
  const ask = (dryRun: boolean): Promise<readonly BulkView[]> =>
    Promise.all(filters.map((filter) => client.history.changeJobs({ action, filter, dryRun, limit: MOST_AT_ONCE })))
  const matched = sum(await ask(true), 'matched')
  const what = `${count(matched)}${endpoint === undefined ? '' : ` of ${endpoint.name}`}`
  if (options['dry-run'] === true || matched === 0) {
    out.line(matched === 0 ? 'no job matches' : `this would ${action} ${what}`)
    return 0
  }
  if (!(await confirm(context, `this ${action === 'cancel' ? 'cancels' : 'runs again'} ${what}`))) return 1
  return printResults(context, await ask(false), action)
}

function printResults({ out, err, options }: CommandContext, results: readonly BulkView[], action: Action): number {
  const refused = results.flatMap((result) => result.refused)
  if (options['json'] === true) printJson(out, results.length === 1 ? results[0] : results)
  else out.line(`${count(sum(results, 'done'))} ${DONE[action]}`)
  for (const { why, jobs } of refused) err.line(`${count(jobs)} not: ${why}`)
  return refused.length > 0 ? 1 : 0
}

function sum(results: readonly BulkView[], field: 'matched' | 'done'): number {
  return results.reduce((total, result) => total + result[field], 0)
}

function count(jobs: number): string {
  return jobs === 1 ? '1 job' : `${jobs} jobs`
}
