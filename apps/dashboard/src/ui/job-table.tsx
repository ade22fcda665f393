// A few jobs in short, each with the way to its page.
import { Link } from '@tanstack/react-router'
import type { FoundJob } from '@runyard/schema/api'
import { keepRange } from '../app/range.ts'
import { DataTable, type TableColumn } from './data-table.tsx'
import { formatDuration, shortId } from './format.ts'
import { JobStatus } from './job-status.tsx'
import { Moment } from './moment.tsx'

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
  { name: 'waited', isNumber: true, cell: ({ delayMs }) => (delayMs === undefined ? '–' : formatDuration(delayMs)) },
  { name: 'ran', isNumber: true, cell: ({ runMs }) => (runMs === undefined ? '–' : formatDuration(runMs)) },
  { name: 'why', cell: ({ error, message }) => error ?? message ?? '' },
]

export function JobTable({ caption, jobs }: { readonly caption: string; readonly jobs: readonly FoundJob[] }) {
  return <DataTable caption={caption} columns={COLUMNS} rows={jobs} keyOf={({ id }) => id} />
}
