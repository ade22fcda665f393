// `runyard job show`: what is known of one job: why it waits, its attempts, its error, its output, and the end of its log.
import { formatDuration, formatRun, formatWait } from '@runyard/core/durations'
import type { Client } from '@runyard/client'
import type { JobDetailView } from '@runyard/schema/api'
import type { CommandContext } from '../command.ts'
import { onlyWord } from '../only-word.ts'
import { timeFormOf } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { formatTime } from '../output/time.ts'
import { cutEnd, toVisible } from '../output/visible.ts'
import { findClient } from '../settings.ts'
import { renderExplanation } from './explain.ts'
import { findJob, nameOf, paintStatus } from './jobs.ts'

const LOG_LINES = 10
const SHORT_ID = 8

export async function run(context: CommandContext): Promise<number> {
  const { out, err, options } = context
  const word = onlyWord(context, 'job by its id')
  const client = await findClient(context)
  const { id } = await findJob(client, word, err)
  const job = await client.history.getJob(id)
  if (options['json'] === true) return printJson(out, job)
  for (const line of renderJob(context, job)) out.line(line)
  if (job.status === 'IN_QUEUE') for (const line of ['', ...renderExplanation(await client.explain(id), out).slice(1)]) out.line(line)
  await showOutput(client, job, out)
  await showLog(context, client, job)
  return 0
}

function renderJob(context: CommandContext, job: JobDetailView): readonly string[] {
  const { out } = context
  const form = timeFormOf(context)
  const { submittedAt, workerId, keyId, cause, text, attempts } = job
  const [waited, ran] = [formatWait(job, Date.now()), formatRun(job, Date.now())]
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['endpoint', `${nameOf(job.endpoint)} (${job.endpoint.id})`],
    ['submitted', `${formatTime(submittedAt, form)}${keyId === undefined ? '' : ` with the key ${keyId}`}`],
    ['waited', waited === '–' ? undefined : waited],
    ['ran', ran === '–' ? undefined : `${ran}${workerId === undefined ? '' : ` on ${workerId}`}`],
    ['ended by', cause],
  ]
  const rows = facts.flatMap(([title, fact]) => (fact === undefined ? [] : [[`  ${out.dim(title)}`, fact]]))
  const tried = attempts.map(({ workerId: worker, startedAt, enteredAt, endedAt, evidence }, index) => [
    `  ${index + 1}`,
    worker,
    formatTime(startedAt, form),
    enteredAt === undefined ? '–' : `entered after ${formatDuration(Math.max(0, enteredAt - startedAt))}`,
    endedAt === undefined
      ? 'running'
      : `ended after ${formatDuration(Math.max(0, endedAt - startedAt))}${evidence === undefined ? '' : `: ${headOf(evidence)}`}`,
  ])
  return [
    `${out.bold(job.id)}  ${paintStatus(job.status, out)(job.status)}`,
    ...renderTable(out, rows),
    ...(tried.length === 0 ? [] : ['', out.dim('attempts'), ...renderTable(out, tried)]),
    ...attempts.flatMap(({ evidence }, index) => {
      const lines = linesOf(evidence).slice(1)
      return lines.length === 0
        ? []
        : ['', out.dim(`last lines of the worker of attempt ${index + 1}`), ...lines.map((line) => `  ${line}`)]
    }),
    ...(text === undefined ? [] : ['', ...linesOf(text).map((line) => out.bad(line))]),
  ]
}

const linesOf = (text = ''): readonly string[] => text.split('\n')

/** Without the lines of the worker, which do not fit into a cell. */
const headOf = (evidence: string): string => (linesOf(evidence)[0] ?? '').replace(/; its last lines:$/u, '')

/** The last lines; a terminal cuts them at its width. */
async function showLog(context: CommandContext, client: Client, { id, workerId }: JobDetailView): Promise<void> {
  if (workerId === undefined) return
  const { lines } = await client.history.logs({ job: id, source: 'container', limit: LOG_LINES })
  if (lines.length === 0) return
  const { out } = context
  const isFitted = out.isTty && out.form !== 'wide'
  out.line()
  out.line(out.dim(`the end of its log (\`runyard logs --job ${id.slice(0, SHORT_ID)}\` shows all)`))
  for (const { line } of lines) out.line(`  ${isFitted ? cutEnd(toVisible(line, false), out.columns - 2) : line}`)
}

/** Kept for `retention.asyncS` alone. */
async function showOutput(client: Client, { id, endpoint, status }: JobDetailView, out: Terminal): Promise<void> {
  if (status !== 'COMPLETED') return
  const { output } = await client.jobs.status(endpoint.id, id).catch(() => ({ output: undefined }))
  if (output === undefined) return
  out.line()
  printJson({ write: out.write }, output)
}
