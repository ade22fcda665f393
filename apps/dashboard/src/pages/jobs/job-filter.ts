// What the list of jobs is asked for: in the address, for the API, as a command, and in words; and what its pages are together.
import type { JobSearch } from '@runyard/client'
import type { FoundJob, JobSearchView } from '@runyard/schema/api'
import type { Range } from '../../app/range.ts'
import { quoteShell } from '../../ui/quote-shell.ts'

export const STATUSES = ['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED'] as const satisfies FoundJob['status'][]

export interface JobFilter {
  /** By id or name. */
  readonly endpoint?: string
  readonly status?: FoundJob['status']
  readonly key?: string
  readonly worker?: string
  /** A fingerprint, or text of the error. */
  readonly error?: string
  /** Text in ids or the error. */
  readonly q?: string
}
export type FilterName = keyof JobFilter

/** In the order in which they are shown. */
export const FILTERS = {
  endpoint: 'endpoint',
  status: 'status',
  error: 'error',
  worker: 'worker',
  key: 'key',
  q: 'text or id',
} as const satisfies Record<FilterName, string>
export const FILTER_NAMES = Object.keys(FILTERS) as readonly FilterName[]

const MOST_LETTERS = 200

/** What of an address's search parameters is a filter; anything else is left out. */
export function readJobFilter(search: Readonly<Record<string, unknown>>): JobFilter {
  const words = FILTER_NAMES.flatMap((name) => {
    const given = search[name]
    // The router reads a number where a text looks like one.
    const text = typeof given === 'string' || typeof given === 'number' ? String(given).trim().slice(0, MOST_LETTERS) : ''
    return text === '' || (name === 'status' && !STATUSES.some((status) => status === text)) ? [] : [[name, text] as const]
  })
  return Object.fromEntries(words)
}

/** A status in the address that no job has. */
export function oddStatusOf(search: object): string | undefined {
  const status: unknown = new Map(Object.entries(search)).get('status')
  return status === undefined || STATUSES.some((known) => known === status) ? undefined : JSON.stringify(status)
}

export const without = (filter: JobFilter, name: FilterName): JobFilter =>
  Object.fromEntries(Object.entries(filter).filter(([other]) => other !== name))

/** A span that ends now has no end: what waits has not ended. */
export function toSearch(filter: JobFilter, { from, to, span }: Range): JobSearch {
  return { ...filter, since: from, ...(span === undefined && { until: to }) }
}

/** The same list in the command line. */
export function toCommand({ endpoint, status, key, worker, error, q }: JobFilter, { from, to, span }: Range): string {
  const options = {
    status: status?.toLowerCase(),
    since: span ?? new Date(from).toISOString(),
    until: span === undefined ? new Date(to).toISOString() : undefined,
    key,
    worker,
    error,
    grep: q,
  }
  const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, quoteShell(value)]))
  return ['runyard jobs', ...(endpoint === undefined ? [] : [quoteShell(endpoint)]), ...words].join(' ')
}

/** A job that ends between two pages is on both: among those that run, and among those that ended. Of one that was retried, its newest life is shown. */
export function jobsOf(pages: readonly JobSearchView[] | undefined): readonly FoundJob[] {
  const found = new Map<string, FoundJob>()
  for (const job of pages?.flatMap((page) => page.jobs) ?? []) {
    if (job.submittedAt >= (found.get(job.id)?.submittedAt ?? -Infinity)) found.set(job.id, job)
  }
  return [...found.values()]
}
