// The picture on the page of a card or a host: as on the page of all cards, with what is chosen in the address.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { PageCommand } from '../../timeline/commands.ts'
import { Legend } from '../../timeline/legend.tsx'
import { toPicture } from '../../timeline/picture.ts'
import { Timeline, type Pin } from '../../timeline/timeline.tsx'
import type { View } from '../../timeline/view.ts'
import { CardPanel } from './card-panel.tsx'
import { KeyHelp } from './key-help.tsx'
import { readGpuSearch } from './routes.ts'
import type { PictureData } from './use-picture.ts'
import styles from './gpus.module.css'

const ROOM_PX = 480

export function PinnedTimeline({ picture }: { readonly picture: PictureData }) {
  const { data, steps, decisions, view, onWidth } = picture
  const { gpu, at } = readGpuSearch(useSearch({ strict: false }))
  const navigate = useNavigate()
  const change = useCallback(
    (next: object) => void navigate({ to: '.', search: (before: object) => ({ ...before, ...next }), replace: true, resetScroll: false }),
    [navigate],
  )
  const pin = useMemo(() => (gpu === undefined || at === undefined ? undefined : { uuid: gpu, at }), [gpu, at])
  const onView = useCallback((next: View) => change({ ...next, range: undefined }), [change])
  const onPin = useCallback((next: Pin) => change({ gpu: next.uuid, at: next.at }), [change])
  const onCommand = useCallback(
    (command: PageCommand) => {
      if (command.kind === 'now') change({ from: undefined, to: undefined })
      if (command.kind === 'span') change({ from: undefined, to: undefined, range: command.span })
    },
    [change],
  )
  if (data === undefined || data.lanes.length === 0) return null
  return (
    <div className={styles.split} data-has-panel={pin !== undefined}>
      <div className={styles.picture}>
        <Timeline {...{ data, steps, decisions, view, room: ROOM_PX, pin, onView, onPin, onCommand, onWidth }} />
        <Legend picture={toPicture(data)} />
        <KeyHelp />
      </div>
      {pin && <CardPanel pin={pin} data={data} onClose={() => change({ gpu: undefined, at: undefined })} />}
    </div>
  )
}
