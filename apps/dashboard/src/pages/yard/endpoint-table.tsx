import { useQueries } from '@tanstack/react-query'
import type { EndpointView, HealthView } from '@runyard/schema/api'
import { healthQuery } from '../../api/queries.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount } from '../../ui/format.ts'
import { Status, type StatusKind } from '../../ui/status.tsx'

interface Row {
  readonly endpoint: EndpointView
  /** Undefined until it is known. */
  readonly health: HealthView | undefined
}

/** What an endpoint does, in one word. */
function stateOf(health: HealthView | undefined): { readonly kind: StatusKind; readonly word: string } {
  if (health === undefined) return { kind: 'unknown', word: 'asking' }
  const { workers, jobs, reason } = health
  const isThrottled = reason !== undefined || workers.throttled > 0
  if (isThrottled) return { kind: 'throttled', word: 'throttled' }
  if (jobs.inProgress > 0) return { kind: 'running', word: 'running' }
  if (workers.initializing > 0) return { kind: 'starting', word: 'starting' }
  if (workers.unhealthy > 0) return { kind: 'trouble', word: 'unhealthy' }
  return { kind: 'idle', word: workers.ready > 0 ? 'ready' : 'scaled to zero' }
}

const COLUMNS: readonly TableColumn<Row>[] = [
  { name: 'name', cell: ({ endpoint }) => endpoint.name },
  { name: 'state', cell: ({ health }) => <Status {...stateOf(health)} /> },
  { name: 'queue', isNumber: true, cell: ({ health }) => health && formatCount(health.jobs.inQueue) },
  { name: 'running', isNumber: true, cell: ({ health }) => health && formatCount(health.jobs.inProgress) },
  {
    name: 'workers',
    cell: ({ endpoint, health }) =>
      health && `${health.workers.running} busy, ${health.workers.idle} idle of ${endpoint.workers.min}..${endpoint.workers.max}`,
  },
  { name: 'why', cell: ({ health }) => health?.message ?? '' },
]

export function EndpointTable({ endpoints }: { readonly endpoints: readonly EndpointView[] }) {
  const healths = useQueries({ queries: endpoints.map(({ id }) => healthQuery(id)) })
  if (endpoints.length === 0) {
    return (
      <Empty title="There is no endpoint yet">
        Run a Flash script, or make one of an image: <code>runyard endpoints create --help</code>.
      </Empty>
    )
  }
  const rows = endpoints.map((endpoint, index) => ({ endpoint, health: healths[index]?.data }))
  return <DataTable caption="Endpoints" columns={COLUMNS} rows={rows} keyOf={({ endpoint }) => endpoint.id} />
}
