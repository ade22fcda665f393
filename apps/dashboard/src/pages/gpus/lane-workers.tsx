import type { TimelineLane } from '@runyard/schema/api'
import { useZone } from '../../app/preferences.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatDuration, formatTime } from '../../ui/format.ts'
import { WorkerLink } from '../../ui/worker-link.tsx'

type Worker = NonNullable<TimelineLane['workers']>[number]

/** Who had a card, latest first. */
export function LaneWorkers({ lane }: { readonly lane: TimelineLane }) {
  const zone = useZone()
  const columns: readonly TableColumn<Worker>[] = [
    { name: 'worker', cell: ({ id }) => <WorkerLink id={id} /> },
    { name: 'endpoint', cell: ({ endpoint, version }) => `${endpoint.name}, release ${version}` },
    { name: 'from', cell: ({ phases }) => formatTime(phases[0]?.from ?? 0, zone) },
    { name: 'for', isNumber: true, cell: ({ phases }) => formatDuration((phases.at(-1)?.to ?? 0) - (phases[0]?.from ?? 0)) },
    { name: 'started', cell: ({ startReason }) => startReason.replaceAll('_', ' ') },
    { name: 'ended', cell: ({ endReason }) => endReason?.replaceAll('_', ' ') ?? 'it is there' },
  ]
  if (lane.workers === undefined) return null
  const workers = lane.workers
    .filter(({ phases }) => phases.length > 0)
    .toSorted((a, b) => (b.phases[0]?.from ?? 0) - (a.phases[0]?.from ?? 0))
  return (
    <section aria-labelledby="had-it">
      <h2 id="had-it">Workers that had it</h2>
      {workers.length === 0 ? (
        <Empty title="No worker of yours had it in this range">A wider range may have one.</Empty>
      ) : (
        <DataTable caption="Workers" columns={columns} rows={workers} keyOf={({ id }) => id} />
      )}
    </section>
  )
}
