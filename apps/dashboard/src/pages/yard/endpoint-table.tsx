import type { EndpointView, HealthView } from '@runyard/schema/api'
import { useEndpointLoads } from '../../api/endpoint-loads.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount } from '../../ui/format.ts'
import { Link } from '@tanstack/react-router'
import { keepRange } from '../../app/shell.tsx'
import { stateOfEndpoint } from '../../ui/endpoint-state.ts'
import { Status } from '../../ui/status.tsx'

interface Row {
  readonly endpoint: EndpointView
  /** Undefined until it is known. */
  readonly health: HealthView | undefined
}

const COLUMNS: readonly TableColumn<Row>[] = [
  {
    name: 'name',
    cell: ({ endpoint }) => (
      <Link to="/endpoints/$id" params={{ id: endpoint.id }} search={keepRange}>
        {endpoint.name}
      </Link>
    ),
  },
  { name: 'state', cell: ({ health }) => <Status {...stateOfEndpoint(health)} /> },
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
  const loads = useEndpointLoads()
  if (endpoints.length === 0) {
    return (
      <Empty title="There is no endpoint yet">
        Run a Flash script, or make one of an image: <code>runyard endpoints create --help</code>.
      </Empty>
    )
  }
  const rows = endpoints.map((endpoint) => ({ endpoint, health: loads.get(endpoint.id) }))
  return <DataTable caption="Endpoints" columns={COLUMNS} rows={rows} keyOf={({ endpoint }) => endpoint.id} />
}
