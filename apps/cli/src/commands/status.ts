// `runyard status`: one line of state, what needs a person, then endpoints, queues and workers.
import { formatDuration } from '@runyard/core/durations'
import { createClient, type Client } from '@runyard/client'
import { RunyardError } from '@runyard/schema'
import type { LivenessView } from '@runyard/schema/api'
import type { CommandContext } from '../command.ts'
import { cardsOf, stateOf } from '../output/card-rows.ts'
import { readRows, renderRows, whyOf, type EndpointRow } from '../output/live-status.ts'
import { renderListing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import type { Terminal } from '../output/terminal.ts'
import { toVisible, wrap } from '../output/visible.ts'
import { listWorkers, workerListing } from '../output/worker-rows.ts'
import { findTarget } from '../settings.ts'

type StackTarget = Awaited<ReturnType<typeof findTarget>>

/** Something waits that will not end by itself. */
const DEGRADED = 3

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const target = await findTarget(context)
  const client = createClient(target)
  const rows = await readRows(client)
  const seen = await readRest(client, rows)
  const problems = problemsOf(rows, seen)
  const code = options['exit-code'] === true && problems.length > 0 ? DEGRADED : 0
  if (options['json'] === true) {
    printJson(out, { url: target.url, machine: seen.machine, endpoints: rows, standby: seen.standby ?? [], problems })
    return code
  }
  out.line(titleOf(context, target))
  showMachine(out, seen.machine)
  showUnseen(out, seen)
  out.line(`${problems.length === 0 ? out.good('fine') : out.bad(count(problems.length, 'problem'))} · ${describeWork(rows)}`)
  for (const problem of problems) showProblem(out, problem)
  out.line()
  for (const line of renderRows(rows, out)) out.line(line)
  showWorkers(out, seen)
  return code
}

function showWorkers(out: Terminal, { workers = [], standby = [] }: Seen): void {
  if (workers.length > 0) out.line()
  if (workers.length > 0) for (const line of renderListing(out, workerListing(workers, out))) out.line(line)
  if (standby.length > 0) out.line()
  for (const { host, waiting } of standby) out.line(`${host}: ${count(waiting, 'standby worker')}`)
}

function titleOf({ out }: CommandContext, target: StackTarget): string {
  const { contextName: name } = target
  return `${out.bold(target.url)}${name === undefined ? '' : `  context ${name}`}${describeProcess(target)}`
}

interface Machine extends Pick<LivenessView, 'redis' | 'version'> {
  /** Cards by their state, such as `free` and `held`. */
  readonly cards?: Readonly<Record<string, number>> | undefined
}

/** What a key without the scope `view` may not see is undefined. */
type Seen = Awaited<ReturnType<typeof readRest>>

async function readRest(client: Client, rows: readonly EndpointRow[]) {
  const [pool, standby, notices, workers, { redis, version }] = await Promise.all([
    unlessForbidden(client.history.pool()),
    unlessForbidden(client.standby()),
    unlessForbidden(client.notices()),
    unlessForbidden(listWorkers(client, rows)),
    client.liveness(),
  ])
  const machine: Machine = { cards: pool && countCards(pool), redis, version }
  return { machine, standby, notices, workers }
}

async function unlessForbidden<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof RunyardError && error.code === 'forbidden') return undefined
    throw error
  })
}

function showUnseen(out: Terminal, { machine: { cards }, standby, notices, workers }: Seen): void {
  const parts = { cards, notices, workers, 'standby workers': standby }
  const unseen = Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [name] : []))
  if (unseen.length > 0) out.line(out.dim(`not shown, because the key lacks the scope \`view\`: ${unseen.join(', ')}`))
}

function countCards(pool: Parameters<typeof cardsOf>[0]): Record<string, number> {
  const cards: Record<string, number> = {}
  for (const card of cardsOf(pool)) cards[stateOf(card)] = (cards[stateOf(card)] ?? 0) + 1
  return cards
}

function showMachine(out: Terminal, { cards, redis, version }: Machine): void {
  const states = Object.entries(cards ?? {}).map(([state, number]) => `${number} ${state}`)
  const known = cards === undefined ? [] : [states.length === 0 ? 'no cards' : `cards: ${states.join(', ')}`]
  const parts = [...known, `Redis ${redis}`, `version ${version}`]
  const text = parts.join(' · ')
  const lines = out.isTty && out.form !== 'wide' ? wrap(text, { columns: out.columns, most: 3 }) : [text]
  for (const line of lines) out.line(line)
}

interface Problem {
  readonly what: string
  readonly why: string
}

/** An endpoint says itself why its workers are missing; its notice would repeat that. */
function problemsOf(rows: readonly EndpointRow[], { standby = [], notices = [] }: Seen): readonly Problem[] {
  const ofEndpoints = rows.flatMap((row) => {
    const why = whyOf(row)
    return why === undefined ? [] : [{ what: row.name, why }]
  })
  const shown = new Set(ofEndpoints.map(({ what }) => what))
  const isRepeated = ({ event, subject }: (typeof notices)[number]): boolean =>
    (event === 'endpoint_crash_loop' || event === 'release_failed') && shown.has(subject)
  return [
    ...ofEndpoints,
    ...standby.flatMap(({ host, problem }) =>
      problem === undefined ? [] : [{ what: host, why: `no further standby worker can be started: ${problem}` }],
    ),
    ...notices.filter((notice) => !isRepeated(notice)).map(({ subject, message }) => ({ what: subject, why: message })),
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
