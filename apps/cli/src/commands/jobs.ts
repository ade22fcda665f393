// `runyard jobs`: the jobs of one endpoint or of all, with why they wait or failed.
import { formatRun, formatWait } from '@runyard/core/durations'
import { type Client, type JobSearch } from '@runyard/client'
import { JOB_STATUSES, RunyardError, type JobStatus } from '@runyard/schema'
import type { FoundJob } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import type { Terminal, TimeForm } from '../output/terminal.ts'
import { formatTime, parseSince } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber, whole } from '../number-option.ts'

const DEFAULT_LIMIT = 20
/** More do not fit into the memory of a small machine. */
const MOST_JOBS = 1_000_000

/** Words for several statuses at once. */
const GROUPS: Readonly<Record<string, readonly JobStatus[]>> = {
  waiting: ['IN_QUEUE'],
  running: ['IN_PROGRESS'],
  done: ['COMPLETED'],
  failed: ['FAILED', 'TIMED_OUT'],
}

export async function run(context: CommandContext): Promise<number> {
  const { out, err, positionals } = context
  const limit = readNumber(context, 'limit', whole({ min: 1, max: MOST_JOBS })) ?? DEFAULT_LIMIT
  const [search, statuses] = [readSearch(context), readStatuses(context)]
  if (positionals.length > 1) throw new UsageError(`name one endpoint, or none for all; ${positionals.length} were given.`)
  const client = await findClient(context)
  const [word] = positionals
  const endpoint = word === undefined ? undefined : (await findEndpoint(client, word, err)).id
  const lists = await Promise.all(statuses.map((status) => findAll(client, { ...search, endpoint, status }, limit)))
  // With several statuses each list is sorted, their union is not.
  const found = lists.flatMap(({ jobs }) => jobs)
  const rows = (lists.length === 1 ? found : found.toSorted((a, b) => b.submittedAt - a.submittedAt)).slice(0, limit)
  const code = printListing(context, jobListing(rows, { out, time: timeFormOf(context), now: nowOf(context) }))
  const isMore = found.length > rows.length || lists.some((list) => list.isMore)
  if (isMore && rows.length > 0 && context.options['json'] !== true) out.line(out.dim('… there are more; --limit N shows N of them'))
  return code
}

/** A watched list prints elsewhere than on a terminal what changed, and spans that grow change all the time. */
function nowOf({ options, out }: CommandContext): number | undefined {
  return options['watch'] === true && !out.isTty ? undefined : Date.now()
}

/** What one answer has at most. */
const PAGE = 500

interface FoundJobs {
  readonly jobs: readonly FoundJob[]
  readonly isMore: boolean
}

/** Page by page. A long search that finds nothing more ends after the page that says so. */
async function findAll(client: Pick<Client, 'history'>, search: Omit<JobSearch, 'limit' | 'cursor'>, limit: number): Promise<FoundJobs> {
  const found = new Map<string, FoundJob>()
  let cursor: string | undefined
  for (;;) {
    const page = await client.history.findJobs({ ...search, cursor, limit: Math.min(PAGE, limit - found.size) })
    for (const job of page.jobs) found.set(job.id, job)
    cursor = page.nextCursor ?? undefined
    if (cursor === undefined || page.jobs.length === 0 || found.size >= limit)
      return { jobs: [...found.values()], isMore: cursor !== undefined }
  }
}

/** All filters but `--status`. @throws UsageError */
export function readSearch(context: Pick<CommandContext, 'options'>): Omit<JobSearch, 'status' | 'endpoint' | 'limit' | 'cursor'> {
  const timeOf = (name: string): number | undefined => {
    const given = textOption(context, name)
    return given === undefined ? undefined : parseSince(given, Date.now(), name)
  }
  return {
    since: timeOf('since'),
    until: timeOf('until'),
    key: textOption(context, 'key'),
    worker: textOption(context, 'worker'),
    error: textOption(context, 'error'),
    q: textOption(context, 'grep'),
  }
}

/** What `--status` means; undefined alone: all. @throws UsageError */
export function readStatuses(context: Pick<CommandContext, 'options'>): readonly (JobStatus | undefined)[] {
  const words = textOption(context, 'status')?.split(',')
  return words === undefined ? [undefined] : [...new Set(words.flatMap((word) => readStatus(word.trim())))]
}

function readStatus(word: string): readonly JobStatus[] {
  const found = GROUPS[word] ?? JOB_STATUSES.filter((status) => status === word.toUpperCase())
  if (found.length > 0) return found
  throw new UsageError(`--status takes ${Object.keys(GROUPS).join(', ')} or one of ${JOB_STATUSES.join(', ')}; "${word}" is none of them.`)
}

/** By its id, or by the beginning of one, which is said on `err`. @throws RunyardError('not_found' | 'conflict') */
export async function findJob(client: Pick<Client, 'history'>, word: string, err: Terminal): Promise<FoundJob> {
  const { jobs } = await client.history.findJobs({ q: word, limit: 500 })
  const near = jobs.filter(({ id }) => id.startsWith(word))
  // The list is a second behind, a job by its whole id is not.
  const found = near.find(({ id }) => id === word) ?? near[0] ?? (await getJob(client, word))
  if (found === undefined) throw new RunyardError('not_found', `there is no job "${word}"; \`runyard jobs\` shows what there is.`)
  if (found.id === word) return found
  if (near.length > 1) throw new RunyardError('conflict', `${near.length} jobs begin with "${word}"; use more of the id.`)
  err.line(err.dim(`${found.id} of ${found.endpoint.name}`))
  return found
}

async function getJob(client: Pick<Client, 'history'>, id: string): Promise<FoundJob | undefined> {
  return client.history.getJob(id).catch((error: unknown) => {
    if (error instanceof RunyardError && error.code === 'not_found') return undefined
    throw error
  })
}

/** `caption`, or `caption (deleted)`. */
export function nameOf({ name, isDeleted }: FoundJob['endpoint']): string {
  return isDeleted === true ? `${name} (deleted)` : name
}

interface ListingOptions {
  readonly out: Terminal
  readonly time: TimeForm
  readonly now: number | undefined
}

function jobListing(rows: readonly FoundJob[], { out, time, now }: ListingOptions): Listing<FoundJob> {
  return {
    rows,
    columns: [
      { title: 'job', cell: ({ id }) => id, cut: 'id' },
      { title: 'endpoint', cell: ({ endpoint }) => nameOf(endpoint), cut: 'middle', goes: 3 },
      { title: 'status', cell: ({ status }) => status, paint: ({ status }) => paintStatus(status, out) },
      { title: 'submitted', cell: ({ submittedAt }) => formatTime(submittedAt, time) },
      { title: 'waited', cell: (job) => formatWait(job, now), goes: 4 },
      { title: 'ran', cell: (job) => formatRun(job, now), goes: 2 },
      { title: 'worker', cell: ({ workerId }) => workerId ?? '–', cut: 'id', goes: 5 },
      { title: 'retries', cell: ({ retries }) => `${retries}`, isWide: true },
      { title: 'key', cell: ({ keyId }) => keyId ?? '–', isWide: true },
    ],
    note: ({ error, message, reason }) => error ?? message ?? reason,
    noteTitle: 'why',
    paintNote: ({ status }) => paintStatus(status, out),
    data: rows,
    empty: 'no jobs',
  }
}

export function paintStatus(status: JobStatus, out: Pick<Terminal, 'bad' | 'good' | 'warn'>): (text: string) => string {
  if (status === 'FAILED' || status === 'TIMED_OUT') return out.bad
  if (status === 'COMPLETED') return out.good
  return status === 'IN_QUEUE' ? out.warn : (text) => text
}
