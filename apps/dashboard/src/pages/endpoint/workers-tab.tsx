// The workers of an endpoint: those that are there, those that are wanted but have no place, and those of the range that are gone.
import { useQuery } from '@tanstack/react-query'
import type { WorkerLifeView, WorkerView } from '@runyard/schema/api'
import { endpointWorkersQuery, livesQuery } from '../../api/endpoint-queries.ts'
import { useRange } from '../../app/range.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount, formatDuration } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { useNow } from '../../ui/now.ts'
import { PHASE_KINDS } from '../../ui/phase.ts'
import { Problem } from '../../ui/problem.tsx'
import { Status } from '../../ui/status.tsx'
import { WorkerLink } from '../../ui/worker-link.tsx'
import { describeCards } from '../../ui/describe-cards.ts'
import { useEndpoint } from './endpoint-context.ts'
import styles from './workers-tab.module.css'

export function WorkersTab() {
  const { id } = useEndpoint()
  const now = useQuery(endpointWorkersQuery(id))
  const lives = useQuery(livesQuery(id, useRange()))
  const error = now.error ?? lives.error
  return (
    <div className={styles.tab}>
      {error && <Problem error={error} onRetry={() => void Promise.all([now.refetch(), lives.refetch()])} />}
      {now.data && lives.data && <Workers states={now.data} lives={lives.data} />}
    </div>
  )
}

function Workers({ states, lives }: { readonly states: readonly WorkerView[]; readonly lives: readonly WorkerLifeView[] }) {
  const there = lives.filter(({ phase }) => phase !== 'gone')
  const gone = lives.filter(({ phase }) => phase === 'gone')
  const wanted = states.filter(({ image }) => image === null)
  return (
    <>
      {there.length + wanted.length === 0 && (
        <Empty title="No worker is there">A job starts one, as long as the endpoint’s maximum is above 0.</Empty>
      )}
      {there.length > 0 && <Present workers={there} states={states} />}
      {wanted.length > 0 && <Wanted workers={wanted} />}
      {gone.length > 0 && (
        <section aria-labelledby="gone">
          <h2 id="gone">Gone</h2>
          <DataTable caption="Workers that are gone" columns={GONE_COLUMNS} rows={gone} keyOf={({ id }) => id} />
        </section>
      )}
    </>
  )
}

interface Row {
  readonly life: WorkerLifeView
  readonly state: WorkerView | undefined
}

const COLUMNS: readonly TableColumn<Row>[] = [
  { name: 'worker', cell: ({ life }) => <WorkerLink id={life.id} /> },
  { name: 'phase', cell: ({ life }) => <Status kind={PHASE_KINDS[life.phase]} word={life.phase} /> },
  { name: 'card', cell: ({ life }) => describeCards(life) },
  { name: 'host', cell: ({ life }) => life.host },
  {
    name: 'release',
    cell: ({ life, state }) => (state?.isStale === true ? <>{life.version} (older)</> : <>{life.version}</>),
  },
  { name: 'uptime', isNumber: true, cell: ({ life }) => <Uptime since={life.times.placed} /> },
  { name: 'jobs', isNumber: true, cell: ({ life }) => formatCount(life.jobs) },
  { name: 'failed', isNumber: true, cell: ({ life }) => formatCount(life.failed) },
]

function Present({ workers, states }: { readonly workers: readonly WorkerLifeView[]; readonly states: readonly WorkerView[] }) {
  const rows = workers.map((life) => ({ life, state: states.find(({ id }) => id === life.id) }))
  return <DataTable caption="Workers" columns={COLUMNS} rows={rows} keyOf={({ life }) => life.id} />
}

function Uptime({ since }: { readonly since: number }) {
  return formatDuration(Math.max(0, useNow(1000) - since))
}

/** Equal ones are one row. */
function Wanted({ workers }: { readonly workers: readonly WorkerView[] }) {
  const groups = [...Map.groupBy(workers, ({ status, message = '' }) => `${status} ${message}`)]
  return (
    <section aria-labelledby="wanted">
      <h2 id="wanted">Wanted, but not there</h2>
      <ul>
        {groups.map(([key, [first, ...others]]) => (
          <li key={key} className={styles.wanted}>
            <Status kind="throttled" word={`${others.length + 1} ${first?.status.toLowerCase()}`} /> {first?.message}
            {first?.nextTryAt !== undefined && (
              <>
                {' '}
                Next try: <Moment at={Date.parse(first.nextTryAt)} />
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

const GONE_COLUMNS: readonly TableColumn<WorkerLifeView>[] = [
  { name: 'worker', cell: ({ id }) => <WorkerLink id={id} /> },
  { name: 'gone', cell: ({ times }) => <Moment at={times.gone ?? times.placed} /> },
  { name: 'lived', isNumber: true, cell: ({ times }) => formatDuration((times.gone ?? times.placed) - times.placed) },
  { name: 'card', cell: describeCards },
  { name: 'jobs', isNumber: true, cell: ({ jobs }) => formatCount(jobs) },
  { name: 'failed', isNumber: true, cell: ({ failed }) => formatCount(failed) },
  {
    name: 'why',
    cell: ({ endReason, message }) => <>{message ?? endReason?.replaceAll('_', ' ')}</>,
  },
]
