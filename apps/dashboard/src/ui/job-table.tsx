// A few jobs in short, each with the way to its page.
import { Link } from '@tanstack/react-router'
import type { FoundJob } from '@runyard/schema/api'
import { keepRange } from '../app/range.ts'
import { DataTable, type TableColumn } from './data-table.tsx'
import { formatRun, formatWait, shortId } from './format.ts'
import { JobStatus } from './job-status.tsx'
import { Moment } from './moment.tsx'
import { useNow } from './now.ts'

const COLUMNS: readonly TableColumn<FoundJob>[] = [
  {
    name: 'job',
    cell: ({ id }) => (
      <Link to="/jobs/$id" params={{ id }} search={keepRange} title={id}>
        <code>{shortId(id)}</code>
      </Link>
    ),
  },
  { name: 'status', cell: ({ status }) => <JobStatus status={status} /> },
  { name: 'submitted', cell: ({ submittedAt }) => <Moment at={submittedAt} /> },
  { name: 'waited', isNumber: true, cell: (job) => <Span of={job} format={formatWait} /> },
  { name: 'ran', isNumber: true, cell: (job) => <Span of={job} format={formatRun} /> },
]

/** Of a job that waits or runs, until now. */
function Span({ of, format }: { readonly of: FoundJob; readonly format: (job: FoundJob, now: number) => string }) {
  return format(of, useNow(1000))
}

export function JobTable({ caption, jobs }: { readonly caption: string; readonly jobs: readonly FoundJob[] }) {
  return (
    <DataTable caption={caption} columns={COLUMNS} rows={jobs} keyOf={({ id }) => id} noteOf={({ error, message }) => error ?? message} />
  )
}
