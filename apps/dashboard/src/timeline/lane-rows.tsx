// The rows over the picture: names of groups and cards, and for each card one cell that describes a time of it. One cell of all is in the order of Tab; the
// keys move it.
import { memo } from 'react'
import { cardName, shortType } from './describe.ts'
import type { LaneGroup, Layout, Row } from './layout.ts'
import type { LanePicture } from './picture.ts'
import styles from './timeline.module.css'

export interface LaneRowsProps {
  readonly layout: Layout
  readonly lanes: readonly LanePicture[]
  /** Uuid of the card that the keys are on. */
  readonly current: string | undefined
  /** What its cell says. */
  readonly description: string
  readonly onFocus: (uuid: string) => void
}

export const LaneRows = memo(function LaneRows(props: LaneRowsProps) {
  return props.layout.groups.map((group) => <GroupRows key={`${group.y}`} group={group} {...props} />)
})

function GroupRows({ group, ...props }: LaneRowsProps & { readonly group: LaneGroup }) {
  return (
    <div role="rowgroup" aria-label={group.name} data-size={props.layout.size}>
      <div role="row" className={styles.group} style={{ height: props.layout.groupHeight }}>
        <div role="rowheader">{group.name === '' ? 'no endpoint of yours' : group.name}</div>
      </div>
      {group.rows.map((row) => (
        <LaneRow key={row.lane} row={row} {...props} />
      ))}
    </div>
  )
}

function LaneRow({ row, layout, lanes, current, description, onFocus }: LaneRowsProps & { readonly row: Row }) {
  const lane = lanes[row.lane]?.lane
  if (lane === undefined) return null
  const isCurrent = lane.uuid === current
  return (
    <div role="row" className={styles.row} style={{ height: row.height }} aria-selected={isCurrent}>
      <div role="rowheader" className={styles.name} title={`${cardName(lane)} · ${lane.name}${lane.simulated ? ' (simulated)' : ''}`}>
        <span>{lane.index ?? '–'}</span>
        {layout.size !== 'all' && (
          <span>
            {shortType(lane.name)}
            {lane.simulated && <span className={styles.simulated}> (sim.)</span>}
          </span>
        )}
      </div>
      <div
        role="gridcell"
        className={styles.cell}
        id={`lane-${lane.uuid}`}
        tabIndex={isCurrent ? 0 : -1}
        aria-label={isCurrent ? description : cardName(lane)}
        onFocus={() => onFocus(lane.uuid)}
      />
    </div>
  )
}
