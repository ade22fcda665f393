import type { WorkerLifeView } from '@runyard/schema/api'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { formatDuration } from '../../ui/format.ts'
import { adviseOnStarts, startPhases, usualPhases, type StartPhase } from '../../ui/start-phases.ts'
import styles from './worker-page.module.css'

export interface StartViewProps {
  readonly worker: WorkerLifeView
  /** Of its endpoint, latest first. */
  readonly lives: readonly WorkerLifeView[]
}

/** The phases of a start beside what is usual. */
export function StartView({ worker, lives }: StartViewProps) {
  const usual = usualPhases(lives.filter(({ id }) => id !== worker.id))
  const advice = adviseOnStarts(lives, Date.now())
  const columns: readonly TableColumn<StartPhase>[] = [
    { name: 'phase', cell: ({ name, what }) => `${name}: ${what}` },
    { name: 'took', isNumber: true, cell: ({ from, to }) => formatDuration(to - from) },
    { name: 'usual (p50 of 20)', isNumber: true, cell: ({ name }) => (usual.has(name) ? formatDuration(usual.get(name) ?? 0) : '–') },
  ]
  return (
    <>
      <DataTable caption="Phases of the start" columns={columns} rows={startPhases(worker.times)} keyOf={({ name }) => name} />
      {advice !== undefined && <p className={styles.advice}>{advice}</p>}
    </>
  )
}
