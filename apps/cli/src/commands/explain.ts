// `runyard explain`: why a job waits or an endpoint has no further worker, and what would change it.
import type { Client } from '@runyard/client'
import { RunyardError } from '@runyard/schema'
import type { ExplainView } from '@runyard/schema/api'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { withTimes } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { onlyWord } from '../only-word.ts'
import { findEndpoint } from './endpoints/find.ts'
import { findJob } from './jobs.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'endpoint by its name or id, or one job by its id')
  const explanation = await explain(await findClient(context), word, context.err)
  if (options['json'] === true) return printJson(out, explanation)
  for (const line of renderExplanation(explanation, out)) out.line(line)
  return 0
}

/** Of an endpoint or a job by its id or name, else by a part of it as other commands take it. */
async function explain(client: Client, word: string, err: Terminal): Promise<ExplainView> {
  try {
    return await client.explain(word)
  } catch (error) {
    if (!isNotFound(error)) throw error
    const near = (await orNothing(findEndpoint(client, word, err))) ?? (await orNothing(findJob(client, word, err)))
    if (near === undefined) throw error
    return client.explain(near.id)
  }
}

async function orNothing<T>(finding: Promise<T>): Promise<T | undefined> {
  return finding.catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
}

function isNotFound(error: unknown): boolean {
  return error instanceof RunyardError && error.code === 'not_found'
}

export function renderExplanation(
  seen: ExplainView,
  out: Pick<Terminal, 'bold' | 'dim' | 'good' | 'bad' | 'isTty' | 'columns'>,
): readonly string[] {
  const { endpoint, job, workers, waiting } = seen
  const subject =
    job === undefined ? `${out.bold(endpoint.name)}  ${endpoint.id}` : `${out.bold(job.id)}  ${job.status} on ${endpoint.name}`
  const facts = [
    ['why', `${withTimes(seen.message)} (${seen.reason})`],
    ...(seen.release === undefined ? [] : [['release', seen.release]]),
    ['wanted', seen.wanted],
    ['jobs waiting', `${waiting}`],
    [
      'workers',
      `${workers.now} of ${workers.min}..${workers.max}${workers.throttled === 0 ? '' : `, ${workers.throttled} without a place`}`,
    ],
    ['priority', `${seen.priority}`],
  ].map(([title = '', fact = '']) => [`  ${out.dim(title)}`, fact])
  const hosts = seen.hosts.flatMap(({ host, refusal, gpus }) => [
    [`  ${host}`, verdict(refusal?.message, out)],
    ...gpus.map((gpu, index) => [
      `    ${out.dim(`${index}`)} ${gpu.name}${gpu.simulated ? ' (simulated)' : ''}`,
      verdict(gpu.refusal?.message, out),
    ]),
  ])
  const changes = seen.changes.map((change) => `  - ${change}`)
  return [
    subject,
    ...renderTable(out, facts),
    ...(hosts.length === 0 ? ['', out.dim('no host was seen yet')] : ['', out.dim('one more worker now?'), ...renderTable(out, hosts)]),
    ...(changes.length === 0 ? [] : ['', out.dim('what would change it'), ...changes]),
  ]
}

function verdict(message: string | undefined, out: Pick<Terminal, 'good' | 'bad'>): string {
  return message === undefined ? out.good('could take it') : withTimes(message)
}
