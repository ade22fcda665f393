import { useQuery } from '@tanstack/react-query'
import type { BatchView } from '@runyard/schema/api'
import { batchesQuery } from '../../api/endpoint-queries.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status, type StatusKind } from '../../ui/status.tsx'
import { useEndpoint } from './endpoint-context.ts'

const KINDS: Readonly<Record<BatchView['status'], StatusKind>> = {
  DRAFT: 'idle',
  FINALIZED: 'running',
  FAILED: 'trouble',
  CANCELLED: 'ended',
}

const COLUMNS: readonly TableColumn<BatchView>[] = [
  { name: 'batch', cell: ({ id, name }) => (name === undefined ? <code>{id}</code> : name) },
  { name: 'status', cell: ({ status }) => <Status kind={KINDS[status]} word={status} /> },
  { name: 'requests', isNumber: true, cell: ({ requestTotal }) => formatCount(requestTotal) },
  { name: 'in progress', isNumber: true, cell: ({ requestInProgress }) => formatCount(requestInProgress) },
  { name: 'completed', isNumber: true, cell: ({ requestCompleted }) => formatCount(requestCompleted) },
  { name: 'failed', isNumber: true, cell: ({ requestFailed }) => formatCount(requestFailed) },
  { name: 'made', cell: ({ createdAt }) => <Moment at={createdAt} /> },
]

export function BatchesTab() {
  const { id } = useEndpoint()
  const { data, error, refetch } = useQuery(batchesQuery(id))
  if (error && data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  if (data === undefined) return null
  if (data.length === 0) {
    return (
      <Empty title="There is no batch">
        A batch is a list of requests that are submitted together: <code>POST /v2/{id}/batch</code> with an array of bodies makes one.
      </Empty>
    )
  }
  return <DataTable caption="Batches" columns={COLUMNS} rows={data} keyOf={(batch) => batch.id} />
}
