// What moves and changes the picture for who uses neither keys nor gestures, and what takes it along.
import type { RefObject } from 'react'
import type { EndpointView, TimelineView } from '@runyard/schema/api'
import { gatewayNow } from '../../app/clock.ts'
import type { Range } from '../../app/range.ts'
import { useZone } from '../../app/preferences.ts'
import type { PageCommand } from '../../timeline/commands.ts'
import { download, toCsv, toPng } from '../../timeline/export.ts'
import { layOutLanes } from '../../timeline/layout.ts'
import { toPicture } from '../../timeline/picture.ts'
import { panView, zoomView, type View } from '../../timeline/view.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { formatTime } from '../../ui/format.ts'
import { Select } from '../../ui/select.tsx'
import { GROUPS, type GpuSearch } from './routes.ts'
import { useRoom } from './use-room.ts'
import styles from './gpus.module.css'

export interface GpuToolbarProps {
  readonly search: GpuSearch
  readonly view: View
  readonly range: Range
  readonly endpoints: readonly EndpointView[]
  readonly data: TimelineView | undefined
  readonly frame: RefObject<HTMLElement | null>
  readonly isTable: boolean
  readonly change: (change: { group?: string | undefined; endpoint?: string | undefined }) => void
  readonly onCommand: (command: PageCommand) => void
  readonly onView: (view: View) => void
}

export function GpuToolbar(props: GpuToolbarProps) {
  const { search, endpoints, isTable, change, onCommand } = props
  const groups = GROUPS.map((word) => ({ value: word, label: `by ${word}` }))
  const names = endpoints.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Picture">
      <Select
        label="Group"
        value={search.group ?? 'host'}
        options={groups}
        onChange={(group) => change({ group: group === 'host' ? undefined : group })}
      />
      <Select
        label="Endpoint"
        value={search.endpoint ?? ''}
        options={[{ value: '', label: 'all endpoints' }, ...names]}
        onChange={(endpoint) => change({ endpoint: endpoint === '' ? undefined : endpoint })}
      />
      {!isTable && <Movers {...props} />}
      <Button aria-pressed={isTable} onClick={() => onCommand({ kind: 'table' })}>
        Table
      </Button>
      <TakeAlong {...props} />
    </div>
  )
}

function Movers({ view, range, data, onView, onCommand }: GpuToolbarProps) {
  const now = data?.now ?? gatewayNow()
  const half = { place: 0.5 }
  return (
    <span className={styles.movers}>
      <Button aria-label="Earlier" title="Earlier" onClick={() => onView(panView(view, -0.5, now))}>
        ←
      </Button>
      <Button aria-label="Later" title="Later" onClick={() => onView(panView(view, 0.5, now))}>
        →
      </Button>
      <Button aria-label="Zoom in" title="Zoom in" onClick={() => onView(zoomView(view, { factor: 0.5, ...half }, now))}>
        +
      </Button>
      <Button aria-label="Zoom out" title="Zoom out" onClick={() => onView(zoomView(view, { factor: 2, ...half }, now))}>
        −
      </Button>
      <Button aria-pressed={range.span !== undefined} onClick={() => onCommand({ kind: 'now' })}>
        Now
      </Button>
    </span>
  )
}

function TakeAlong({ data, view, frame, isTable }: GpuToolbarProps) {
  const zone = useZone()
  const room = useRoom()
  const link = new URL(location.href)
  link.searchParams.delete('range')
  link.searchParams.set('from', `${view.from}`)
  link.searchParams.set('to', `${view.to}`)
  const name = `gpus-${new Date(view.from).toISOString().slice(0, 16).replaceAll(':', '')}`
  const savePng = async (): Promise<void> => {
    if (data === undefined || frame.current === null) return
    const picture = toPicture(data)
    const layout = layOutLanes(data.lanes, room)
    const blob = await toPng(frame.current, {
      picture,
      layout,
      title: `GPUs, ${formatTime(view.from, zone)} to ${formatTime(view.to, zone)}`,
    })
    if (blob !== null) download(`${name}.png`, blob)
  }
  const saveCsv = (): void => {
    if (data !== undefined) download(`${name}.csv`, new Blob([toCsv(toPicture(data))], { type: 'text/csv' }))
  }
  return (
    <span className={styles.movers}>
      <CopyButton text={link.href} what="link" />
      {!isTable && <Button onClick={() => void savePng()}>PNG</Button>}
      <Button onClick={saveCsv}>CSV</Button>
    </span>
  )
}
