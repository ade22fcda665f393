// What is each card doing, and what did it do before? One lane per card, or the same as a table.
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useRef, type RefObject } from 'react'
import type { TimelineView } from '@runyard/schema/api'
import type { PageCommand } from '../../timeline/commands.ts'
import { Legend } from '../../timeline/legend.tsx'
import { toPicture } from '../../timeline/picture.ts'
import { TimelineTable } from '../../timeline/timeline-table.tsx'
import { Timeline, type Pin } from '../../timeline/timeline.tsx'
import type { View } from '../../timeline/view.ts'
import { Empty } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { CardPanel } from './card-panel.tsx'
import { GpuToolbar } from './gpu-toolbar.tsx'
import { HealthNews } from './health-news.tsx'
import { KeyHelp } from './key-help.tsx'
import { GROUPS, type GpuSearch } from './routes.ts'
import { usePicture, type PictureData } from './use-picture.ts'
import { useRoom } from './use-room.ts'
import styles from './gpus.module.css'

const route = getRouteApi('/gpus')

export function GpusPage() {
  const search = route.useSearch()
  const { group = 'host', endpoint, view: shape } = search
  const picture = usePicture({ group, endpoint })
  const { data, view, range, endpoints, error, refetch } = picture
  const change = useChange()
  const frame = useRef<HTMLDivElement>(null)
  const isTable = shape === 'table'
  const onView = useCallback((next: View) => change({ ...next, range: undefined }), [change])
  const onCommand = useCallback(
    (command: PageCommand) => {
      if (command.kind === 'now') change({ from: undefined, to: undefined })
      if (command.kind === 'span') change({ from: undefined, to: undefined, range: command.span })
      if (command.kind === 'group') change({ group: GROUPS[(GROUPS.indexOf(group) + 1) % GROUPS.length] })
      if (command.kind === 'table') change({ view: isTable ? undefined : 'table' })
    },
    [change, group, isTable],
  )
  return (
    <Page title="GPUs">
      <GpuToolbar {...{ search, view, range, endpoints, data, frame, isTable, change, onCommand, onView }} />
      {error && <Problem error={error} onRetry={refetch} />}
      {data === undefined && !error && <p>Reading what the cards did …</p>}
      {data && <Shown {...{ data, picture, search, frame, change, onView, onCommand }} />}
      <KeyHelp />
      <HealthNews />
    </Page>
  )
}

interface ShownProps {
  readonly data: TimelineView
  readonly picture: PictureData
  readonly search: GpuSearch
  readonly frame: RefObject<HTMLDivElement | null>
  readonly change: (change: Change) => void
  readonly onView: (view: View) => void
  readonly onCommand: (command: PageCommand) => void
}

/** The picture or its table, and beside it what is chosen. */
function Shown({ data, picture, search: { gpu, at, view: shape }, frame, change, onView, onCommand }: ShownProps) {
  const { steps, decisions, view, onWidth } = picture
  const room = useRoom()
  const pin = useMemo(() => (gpu === undefined || at === undefined ? undefined : { uuid: gpu, at }), [gpu, at])
  const onPin = useCallback((next: Pin) => change({ gpu: next.uuid, at: next.at }), [change])
  const close = useCallback(() => change({ gpu: undefined, at: undefined }), [change])
  const known = useMemo(() => toPicture(data), [data])
  if (data.lanes.length === 0) return <NoCards />
  return (
    <div className={styles.split} data-has-panel={pin !== undefined}>
      <div className={styles.picture} ref={frame}>
        {!data.isComplete && <p role="note">▲ This range has more jobs than could be read at once; the earliest are missing.</p>}
        {shape === 'table' ? (
          <TimelineTable picture={known} steps={steps} view={view} chosen={gpu} onChoose={(uuid) => change({ gpu: uuid })} />
        ) : (
          <>
            <Timeline {...{ data, steps, decisions, view, room, pin, onView, onPin, onCommand, onWidth }} />
            <Legend picture={known} />
          </>
        )}
      </div>
      {pin && <CardPanel pin={pin} data={data} onClose={close} />}
    </div>
  )
}

type Change = Partial<Record<'from' | 'to' | 'range' | keyof GpuSearch, string | number | undefined>>

/** Writes into the address; what is undefined leaves it. A move of the view is no step to go back to. */
function useChange(): (change: Change) => void {
  const navigate = useNavigate()
  return useCallback(
    (change) => {
      const isStep = 'view' in change || 'group' in change || 'endpoint' in change
      // Each page reads its own parameters, and leaves out what is not one of them.
      void navigate({ to: '.', search: (before: object) => ({ ...before, ...change }) as never, replace: !isStep, resetScroll: false })
    },
    [navigate],
  )
}

function NoCards() {
  return (
    <Empty title="There is no GPU">
      Each card of your hosts has a lane here. Add a host with <code>hosts</code> in <code>runyard.yaml</code>, or try it with simulated
      ones: <code>RUNYARD_SIMULATED_GPUS=&quot;NVIDIA GeForce RTX 4090:2&quot; runyard up</code>.
    </Empty>
  )
}
