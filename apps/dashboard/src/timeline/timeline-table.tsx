// The same as the picture, as tables: each card with its shares of the view, when workers were throttled, and the stretches of one card.
import { useZone } from '../app/preferences.ts'
import { DataTable, type TableColumn } from '../ui/data-table.tsx'
import { Empty } from '../ui/empty.tsx'
import { formatClock, formatDuration, formatPercent, formatTime, shortId } from '../ui/format.ts'
import { Select } from '../ui/select.tsx'
import { cardName, segmentsOf, shortType, type Segment } from './describe.ts'
import { PHASE_WORDS, type LanePicture, type Picture } from './picture.ts'
import { sharesOf, type Shares } from './shares.ts'
import { throttledOf, type Steps, type Throttled } from './strip.ts'
import type { View } from './view.ts'
import styles from './timeline-table.module.css'

export interface TimelineTableProps {
  readonly picture: Picture
  readonly steps: Steps
  readonly view: View
  /** Uuid of the card whose stretches are listed. */
  readonly chosen: string | undefined
  readonly onChoose: (uuid: string) => void
}

type CardRow = Shares & { readonly lane: LanePicture }

/** Further ones are in the CSV. */
const MOST_STRETCHES = 300

const percent = (value: number | undefined): string => (value === undefined ? '–' : formatPercent(value))
const count = (value: number | undefined): string => (value === undefined ? 'many' : `${value}`)

/** Far away an answer lists no jobs, only where there were failures. */
const failedName = (hasJobs: boolean): string => (hasJobs ? 'failed' : 'failures seen')

const cardColumns = (hasJobs: boolean): readonly TableColumn<CardRow>[] => [
  { name: 'card', cell: ({ lane }) => cardName(lane.lane) },
  { name: 'type', cell: ({ lane: { lane } }) => `${shortType(lane.name)}${lane.simulated ? ' (simulated)' : ''}` },
  { name: 'busy', isNumber: true, cell: ({ phases }) => percent(phases.busy) },
  { name: 'idle', isNumber: true, cell: ({ phases }) => percent(phases.idle) },
  { name: 'starting', isNumber: true, cell: ({ phases }) => percent(phases.starting + phases.pulling) },
  { name: 'draining', isNumber: true, cell: ({ phases }) => percent(phases.draining) },
  { name: 'out of use', isNumber: true, cell: ({ phases }) => percent(phases.quarantined + phases.unknown) },
  { name: 'free', isNumber: true, cell: ({ phases }) => percent(phases.free) },
  { name: 'workers', isNumber: true, cell: ({ workers }) => count(workers) },
  { name: 'jobs', isNumber: true, cell: ({ jobs }) => count(jobs) },
  { name: failedName(hasJobs), isNumber: true, cell: ({ failed }) => failed },
  { name: 'load', isNumber: true, cell: ({ load }) => percent(load) },
  { name: 'memory', isNumber: true, cell: ({ memory }) => percent(memory) },
  { name: 'power', isNumber: true, cell: ({ power }) => percent(power) },
]

export function TimelineTable({ picture, steps, view, chosen, onChoose }: TimelineTableProps) {
  const rows = picture.lanes.map((lane) => ({ ...sharesOf(picture, lane, view), lane }))
  const lane = picture.lanes.find(({ lane: { uuid } }) => uuid === chosen) ?? picture.lanes[0]
  const cards = picture.lanes.map(({ lane: own }) => ({ value: own.uuid, label: cardName(own) }))
  return (
    <div className={styles.tables}>
      <div className={styles.scroll}>
        <DataTable
          caption="Cards"
          columns={cardColumns(rows.some(({ jobs }) => jobs !== undefined))}
          rows={rows}
          keyOf={({ lane: { lane: own } }) => own.uuid}
        />
      </div>
      <section aria-labelledby="stretches" className={styles.part}>
        <h2 id="stretches">What one card did</h2>
        <Select label="Card" value={lane?.lane.uuid ?? ''} options={cards} onChange={onChoose} />
        {lane && <Stretches picture={picture} lane={lane} view={view} />}
      </section>
      <section aria-labelledby="throttled" className={styles.part}>
        <h2 id="throttled">When workers were throttled</h2>
        <ThrottledTable steps={steps} view={view} />
      </section>
    </div>
  )
}

function Stretches({ picture, lane, view }: { readonly picture: Picture; readonly lane: LanePicture; readonly view: View }) {
  const zone = useZone()
  const columns: readonly TableColumn<Segment>[] = [
    { name: 'from', cell: ({ from }) => formatTime(from, zone) },
    { name: 'to', cell: ({ to }) => formatClock(to, zone) },
    { name: 'for', isNumber: true, cell: ({ from, to }) => formatDuration(to - from) },
    {
      name: 'phase',
      cell: ({ phase, cause }) => (cause === undefined ? PHASE_WORDS[phase] : `${PHASE_WORDS[phase]}: ${cause.replaceAll('_', ' ')}`),
    },
    { name: 'endpoint', cell: ({ worker }) => worker?.endpoint.name ?? '' },
    { name: 'worker', cell: ({ worker }) => worker && shortId(worker.id) },
    { name: 'jobs', isNumber: true, cell: ({ jobs }) => jobs ?? '' },
    { name: failedName(lane.lane.jobs !== undefined), isNumber: true, cell: ({ failed }) => failed },
  ]
  const segments = segmentsOf(picture, lane).filter(({ from, to }) => from < view.to && to > view.from)
  const shown = segments.slice(-MOST_STRETCHES).toReversed()
  return (
    <>
      {segments.length > shown.length && (
        <p>
          The latest {shown.length} of {segments.length}; the CSV has all of them.
        </p>
      )}
      <div className={styles.scroll}>
        <DataTable caption={`Stretches of ${cardName(lane.lane)}`} columns={columns} rows={shown} keyOf={({ from }) => `${from}`} />
      </div>
    </>
  )
}

function ThrottledTable({ steps, view }: { readonly steps: Steps; readonly view: View }) {
  const zone = useZone()
  const stretches = throttledOf(steps).filter(({ from, to }) => from < view.to && to > view.from)
  const columns: readonly TableColumn<Throttled>[] = [
    { name: 'from', cell: ({ from }) => formatTime(from, zone) },
    { name: 'for', isNumber: true, cell: ({ from, to }) => formatDuration(to - from) },
    { name: 'why', cell: ({ reason }) => reason.replaceAll('_', ' ') },
  ]
  if (stretches.length === 0) return <Empty title="Nothing was throttled in this time">A wider range may have more.</Empty>
  return <DataTable caption="Throttled" columns={columns} rows={stretches.toReversed()} keyOf={({ from }) => `${from}`} />
}
