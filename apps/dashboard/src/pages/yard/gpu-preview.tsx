// What the cards did in the range, in small: to look at, and to go on from.
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { TimelineView } from '@runyard/schema/api'
import { useZone } from '../../app/preferences.ts'
import { keepRange } from '../../app/range.ts'
import { ticksOf } from '../../timeline/axis.ts'
import { LanePlane } from '../../timeline/lane-plane.tsx'
import { layOutLanes } from '../../timeline/layout.ts'
import { toPicture, type Picture } from '../../timeline/picture.ts'
import { sharesOf } from '../../timeline/shares.ts'
import { StripPlane } from '../../timeline/strip-plane.tsx'
import { useLook } from '../../timeline/use-palette.ts'
import { useWidth } from '../../timeline/use-width.ts'
import type { View } from '../../timeline/view.ts'
import { formatPercent } from '../../ui/format.ts'
import { usePicture, type PictureData } from '../gpus/use-picture.ts'
import styles from './gpu-preview.module.css'

const ROOM_PX = 150
/** Their ids are most of the bytes of a first visit, and in lanes of many cards they are not drawn. */
const MOST_JOBS = 500

/** `width`: of the page, since the picture is there only with its data; 0: not known yet. */
export function GpuPreview({ width }: { readonly width: number }) {
  const picture = usePicture({ width, mostJobs: MOST_JOBS })
  if (picture.data === undefined || picture.data.lanes.length === 0) return null
  return <Preview {...picture} data={picture.data} />
}

function Preview({ data, steps, decisions, view }: PictureData & { readonly data: TimelineView }) {
  const [ref, width] = useWidth()
  const zone = useZone()
  const look = useLook()
  const picture = useMemo(() => toPicture(data), [data])
  const ticks = useMemo(() => ticksOf(view, width, zone), [view, width, zone])
  const layout = useMemo(() => layOutLanes(data.lanes, ROOM_PX), [data])
  const scene = useMemo(
    () => look && { picture, layout, view, ticks: ticks.map(({ at }) => at), ...look },
    [picture, layout, view, ticks, look],
  )
  const strip = useMemo(() => look && { ...steps, view, decisions, ticks, palette: look.palette }, [steps, view, decisions, ticks, look])
  return (
    <section aria-labelledby="gpus">
      <h2 id="gpus">GPUs</h2>
      <p className={styles.words}>
        {summaryOf(picture, view)}{' '}
        <Link to="/gpus" search={keepRange}>
          What each card did
        </Link>
      </p>
      <div className={styles.frame} ref={ref}>
        {scene && strip && width > 0 && (
          <>
            <StripPlane scene={strip} width={width} />
            <div className={styles.lanes} style={{ height: layout.height }}>
              <LanePlane scene={scene} width={width} />
              {layout.groups.map(({ name, y }) => (
                <span key={y} className={styles.group} style={{ top: y, height: layout.groupHeight }}>
                  {name}
                </span>
              ))}
            </div>
          </>
        )}
      </div>
    </section>
  )
}

/** `4 cards: busy 31 %, idle 12 % of the range, 2 failures.` */
function summaryOf(picture: Picture, view: View): string {
  const shares = picture.lanes.map((lane) => sharesOf(picture, lane, view))
  const mean = (pick: (one: (typeof shares)[number]) => number): number => shares.reduce((sum, one) => sum + pick(one), 0) / shares.length
  const failed = shares.reduce((sum, one) => sum + one.failed, 0)
  const cards = shares.length === 1 ? '1 card' : `${shares.length} cards`
  const failures = failed === 0 ? 'no failure' : failed === 1 ? '1 failure' : `${failed} failures`
  return `${cards}: busy ${formatPercent(mean(({ phases }) => phases.busy))}, idle ${formatPercent(mean(({ phases }) => phases.idle))} of the range, ${failures}.`
}
