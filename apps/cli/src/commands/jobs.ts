// `runyard jobs`: the latest jobs of one endpoint or of all (client-api §5.10), with why they wait or failed.
import { createClient, type Client } from '@runyard/client'
import type { EndpointView, ListedJob } from '@runyard/schema/api'
import { JOB_STATUSES, type JobStatus } from '@runyard/schema'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import { formatDuration, type Terminal, type TimeForm } from '../output/terminal.ts'
import { formatTime, parseSince } from '../output/time.ts'
import { findTarget } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber } from './endpoints/request.ts'

const DEFAULT_LIMIT = 20
const MOST_LISTED = 200
/** Of so many jobs the reason is asked for, each with a request. */
const MOST_EXPLAINED = 50

export interface JobRow extends ListedJob {
  /** Its name. */
  readonly endpoint: string
  readonly endpointId: string
  /** Why it waits, or why it failed. */
  readonly why?: string
}

export interface JobFilter {
  readonly statuses: readonly JobStatus[] | undefined
  /** Epoch ms: submitted at or after. */
  readonly since: number | undefined
}

export async function run(context: CommandContext): Promise<number> {
  const { out, positionals } = context
  const limit = readNumber(context, 'limit') ?? DEFAULT_LIMIT
  const filter = readFilter(context)
  if (positionals.length > 1) throw new UsageError(`name one endpoint, or none for all; ${positionals.length} were given.`)
  const client = createClient(await findTarget(context))
  const [word] = positionals
  const endpoints = word === undefined ? await client.listEndpoints() : [await findEndpoint(client, word, context.err)]
  const found = await findJobs(client, endpoints, filter)
  const rows = await explainJobs(client, found.slice(0, limit))
  const code = printListing(context, jobListing(rows, { out, time: timeFormOf(context) }))
  const more = found.length - rows.length
  if (more > 0 && context.options['json'] !== true) out.line(out.dim(`… ${more} more; --limit N shows up to ${MOST_LISTED}`))
  return code
}

/** `--status` (several with commas; `failed`, `waiting`) and `--since`. @throws UsageError */
export function readFilter(context: Pick<CommandContext, 'options'>): JobFilter {
  const since = textOption(context, 'since')
  const words = textOption(context, 'status')?.split(',')
  return {
    statuses: words?.flatMap((word) => readStatus(word.trim())),
    since: since === undefined ? undefined : parseSince(since, Date.now()),
  }
}

function readStatus(word: string): readonly JobStatus[] {
  const groups: Record<string, readonly JobStatus[]> = {
    waiting: ['IN_QUEUE'],
    running: ['IN_PROGRESS'],
    done: ['COMPLETED'],
    failed: ['FAILED', 'TIMED_OUT'],
  }
  const exact = JOB_STATUSES.filter((status) => status === word.toUpperCase())
  const found = exact.length > 0 && word !== 'failed' ? exact : (groups[word] ?? exact)
  if (found.length > 0) return found
  throw new UsageError(`--status takes ${Object.keys(groups).join(', ')} or one of ${JOB_STATUSES.join(', ')}; "${word}" is none of them.`)
}

/** Newest first, of all the endpoints. */
export async function findJobs(
  client: Client,
  endpoints: readonly Pick<EndpointView, 'id' | 'name'>[],
  { statuses, since }: JobFilter,
): Promise<readonly JobRow[]> {
  const lists = await Promise.all(
    endpoints.map(async ({ id, name }) =>
      (await client.jobs.list(id, MOST_LISTED)).requests.map((job) => ({ ...job, endpoint: name, endpointId: id })),
    ),
  )
  return lists
    .flat()
    .filter(({ status, createdAt }) => (statuses?.includes(status) ?? true) && createdAt >= (since ?? 0))
    .toSorted((a, b) => b.createdAt - a.createdAt)
}

/** The list carries neither reasons nor errors. */
async function explainJobs(client: Client, jobs: readonly JobRow[]): Promise<readonly JobRow[]> {
  const asked = new Set(jobs.filter(({ status }) => ['IN_QUEUE', 'FAILED', 'TIMED_OUT'].includes(status)).slice(0, MOST_EXPLAINED))
  return Promise.all(
    jobs.map(async (job) => {
      if (!asked.has(job)) return job
      // It may be gone by now.
      const view = await client.jobs.status(job.endpointId, job.id).catch(() => undefined)
      const why = view?.error ?? view?.queueMessage ?? view?.queueReason
      return why === undefined ? job : { ...job, why }
    }),
  )
}

export function jobListing(rows: readonly JobRow[], { out, time }: { out: Terminal; time: TimeForm }): Listing<JobRow> {
  return {
    rows,
    columns: [
      { title: 'job', cell: ({ id }) => id, cut: 'id' },
      { title: 'endpoint', cell: ({ endpoint }) => endpoint, cut: 'middle', goes: 3 },
      { title: 'status', cell: ({ status }) => status, paint: ({ status }) => paintStatus(status, out) },
      { title: 'submitted', cell: ({ createdAt }) => formatTime(createdAt, time) },
      { title: 'waited', cell: ({ delayTime }) => (delayTime === undefined ? '–' : formatDuration(delayTime)), goes: 4 },
      { title: 'ran', cell: ({ executionTime }) => (executionTime === undefined ? '–' : formatDuration(executionTime)), goes: 2 },
      { title: 'worker', cell: ({ workerId }) => workerId ?? '–', cut: 'id', goes: 5 },
      { title: 'retries', cell: ({ retries }) => `${retries ?? 0}`, isWide: true },
    ],
    note: ({ why }) => why?.trim().split('\n').at(0),
    noteTitle: 'why',
    paintNote: ({ status }) => paintStatus(status, out),
    data: rows,
    empty: 'no jobs',
  }
}

function paintStatus(status: JobStatus, out: Terminal): (text: string) => string {
  if (status === 'FAILED' || status === 'TIMED_OUT') return out.bad
  if (status === 'COMPLETED') return out.good
  return status === 'IN_QUEUE' ? out.warn : (text) => text
}
