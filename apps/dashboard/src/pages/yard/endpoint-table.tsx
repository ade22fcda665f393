import { useQuery } from '@tanstack/react-query'
import type { EndpointView, HealthView } from '@runyard/schema/api'
import { useEndpointLoads } from '../../api/endpoint-loads.ts'
import { failuresQuery, usageQuery } from '../../api/queries.ts'
import { keepRange, useRange } from '../../app/range.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount } from '../../ui/format.ts'
import { Link } from '@tanstack/react-router'
import { stateOfEndpoint } from '../../ui/endpoint-state.ts'
import { formatHours } from '../usage/describe-usage.ts'
import { Status } from '../../ui/status.tsx'

interface Row {
  readonly endpoint: EndpointView
  /** Undefined until it is known. */
  readonly health: HealthView | undefined
  /** Of the range, undefined until they are known. */
  readonly failed: number | undefined
  readonly gpuSeconds: number | undefined
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
  { name: 'state', cell: ({ endpoint, health }) => <Status {...stateOfEndpoint(endpoint, health)} /> },
  { name: 'queue', isNumber: true, cell: ({ health }) => health && formatCount(health.jobs.inQueue) },
  { name: 'running', isNumber: true, cell: ({ health }) => health && formatCount(health.jobs.inProgress) },
  {
    name: 'workers',
    cell: ({ endpoint, health }) => health && `${health.workers.running} busy, ${health.workers.idle} idle, max ${endpoint.workers.max}`,
  },
  {
    name: 'failed',
    isNumber: true,
    cell: ({ endpoint, failed }) =>
      failed ? (
        <Link to="/failures" search={(before) => ({ ...keepRange(before), endpoint: endpoint.name })}>
          {formatCount(failed)}
        </Link>
      ) : (
        failed
      ),
  },
  { name: 'GPU time', isNumber: true, cell: ({ gpuSeconds }) => gpuSeconds !== undefined && formatHours(gpuSeconds) },
]

/** What each endpoint does now, and what it did in the range of the page. */
export function EndpointTable({ endpoints }: { readonly endpoints: readonly EndpointView[] }) {
  const loads = useEndpointLoads()
  const { failedOf, gpuSecondsOf } = useRangeNumbers()
  if (endpoints.length === 0) {
    return (
      <Empty title="There is no endpoint yet">
        <Link to="/start" search={keepRange}>
          Start
        </Link>{' '}
        shows what to run first, and watches it arrive.
      </Empty>
    )
  }
  const rows = endpoints.map((endpoint) => ({
    endpoint,
    health: loads.get(endpoint.id),
    failed: failedOf(endpoint.id),
    gpuSeconds: gpuSecondsOf(endpoint.id),
  }))
  return (
    <DataTable
      caption="Endpoints"
      columns={COLUMNS}
      rows={rows}
      keyOf={({ endpoint }) => endpoint.id}
      noteOf={({ health }) => health?.message}
    />
  )
}

const MINUTE_MS = 60_000
const minuteOf = (at: number): number => at - (at % MINUTE_MS)

/** Two answers for all endpoints together. */
function useRangeNumbers() {
  const { from, to, span } = useRange()
  // A span moves on every ten seconds, which would ask for another range each time; so it does each minute.
  const [since, until] = span === undefined ? [from, to] : [minuteOf(from), minuteOf(to)]
  const pace = span === undefined ? {} : { refetchInterval: false as const }
  const { data: failures } = useQuery({ ...failuresQuery({ since, until: span === undefined ? to : undefined }), ...pace })
  const { data: usage } = useQuery({ ...usageQuery({ from: since, to: until, by: ['endpoint'] }), ...pace })
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
  return {
    failedOf: (id: string) => failures && sum(failures.failures.filter(({ endpoint }) => endpoint.id === id).map(({ count }) => count)),
    gpuSecondsOf: (id: string) =>
      usage && sum(usage.usage.filter(({ endpointId }) => endpointId === id).map(({ gpuSeconds }) => gpuSeconds)),
  }
}
