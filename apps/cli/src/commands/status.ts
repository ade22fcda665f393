// `runyard status`: one line of state, what needs somebody, then endpoints, queues and workers.
import { createClient } from '@runyard/client'
import type { StandbyView } from '@runyard/schema/api'
import type { CommandContext } from '../command.ts'
import { currentContext } from '../contexts.ts'
import { readRows, renderRows, whyOf, type EndpointRow } from '../output/live-status.ts'
import { renderListing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatDuration, type Terminal } from '../output/terminal.ts'
import { toVisible, wrap } from '../output/visible.ts'
import { listWorkers, workerListing, type WorkerRow } from '../output/worker-rows.ts'
import { findTarget } from '../settings.ts'

type StackTarget = Awaited<ReturnType<typeof findTarget>>

/** Something waits that will not end by itself. */
const DEGRADED = 3

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const target = await findTarget(context)
  const client = createClient(target)
  const rows = await readRows(client)
  const standby = await client.standby()
  const problems = problemsOf(rows, standby)
  const code = options['exit-code'] === true && problems.length > 0 ? DEGRADED : 0
  if (options['json'] === true) {
    printJson(out, { url: target.url, endpoints: rows, standby, problems })
    return code
  }
  out.line(await titleOf(context, target))
  out.line(`${problems.length === 0 ? out.good('fine') : out.bad(count(problems.length, 'problem'))} · ${describeWork(rows)}`)
  for (const problem of problems) showProblem(out, problem)
  out.line()
  for (const line of renderRows(rows, out)) out.line(line)
  showWorkers(out, await listWorkers(client, rows))
  if (standby.length > 0) out.line()
  for (const { host, waiting } of standby) out.line(`${host}: ${count(waiting, 'standby worker')}`)
  return code
}

function showWorkers(out: Terminal, workers: readonly WorkerRow[]): void {
  if (workers.length === 0) return
  out.line()
  for (const line of renderListing(out, workerListing(workers, out))) out.line(line)
}

async function titleOf({ out, env }: CommandContext, target: StackTarget): Promise<string> {
  const name = target.startedAt === undefined ? (await currentContext(env))?.name : undefined
  return `${out.bold(target.url)}${name === undefined ? '' : `  context ${name}`}${describeProcess(target)}`
}

interface Problem {
  readonly what: string
  readonly why: string
}

function problemsOf(rows: readonly EndpointRow[], standby: StandbyView['hosts']): readonly Problem[] {
  return [
    ...rows.flatMap((row) => {
      const why = whyOf(row)
      return why === undefined ? [] : [{ what: row.name, why }]
    }),
    ...standby.flatMap(({ host, problem }) =>
      problem === undefined ? [] : [{ what: host, why: `no further standby worker can be started: ${problem}` }],
    ),
  ]
}

/** Without a terminal one line, for `grep`. */
function showProblem(out: Terminal, { what, why }: Problem): void {
  const text = toVisible(`${what}: ${why}`, false)
  const lines = out.isTty && out.form !== 'wide' ? wrap(text, { columns: out.columns - 2, most: 4 }) : [text]
  for (const [index, line] of lines.entries()) out.line(`${index === 0 ? out.bad('✗ ') : '  '}${line}`)
}

function describeWork(rows: readonly EndpointRow[]): string {
  const sum = (read: (row: EndpointRow) => number): number => rows.reduce((total, row) => total + read(row), 0)
  const running = sum(({ health }) => health.jobs.inProgress)
  const waiting = sum(({ health }) => health.jobs.inQueue)
  const busy = sum(({ health }) => health.workers.running)
  const idle = sum(({ health }) => health.workers.idle)
  return `${count(running, 'job')} run, ${waiting} wait · ${count(busy, 'worker')} busy, ${idle} idle`
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

/** Known only for a stack of this machine. */
function describeProcess({ startedAt, pid }: StackTarget): string {
  return startedAt === undefined ? '' : `  up for ${formatDuration(Date.now() - startedAt)}, process ${pid}`
}
