// What is under the pointer, in words. The same is in the cell that the keys move, and more in the panel of a click.
import { useQuery } from '@tanstack/react-query'
import { pricesQuery } from '../api/queries.ts'
import { useZone } from '../app/preferences.ts'
import { formatClock, formatCost, formatDuration, formatPercent, shortId } from '../ui/format.ts'
import { cardName, segmentAt, type Segment } from './describe.ts'
import { NOT_KNOWN, PHASE_WORDS, type LanePicture, type Picture } from './picture.ts'
import styles from './timeline.module.css'

export interface TipProps {
  readonly picture: Picture
  readonly lane: LanePicture
  readonly at: number
}

export function LaneTip({ picture, lane, at }: TipProps) {
  const zone = useZone()
  const segment = segmentAt(picture, lane, at)
  if (segment === undefined) return null
  const { phase, from, to, worker, jobs, failed, cause } = segment
  return (
    <>
      <strong>{cardName(lane.lane)}</strong>
      <div>
        {PHASE_WORDS[phase]} · {formatClock(from, zone)} – {formatClock(to, zone)} · {formatDuration(to - from)}
      </div>
      {cause !== undefined && <div>because: {cause.replaceAll('_', ' ')}</div>}
      {worker && <WorkerWords worker={worker} />}
      {worker && <Cost type={lane.lane.name} ms={to - from} />}
      {jobs !== undefined && jobs > 0 && <div>{jobs === 1 ? '1 job' : `${jobs} jobs`}</div>}
      {failed > 0 && <div>✕ {failed} failed</div>}
      <div>{readingsAt(picture, lane, at)}</div>
    </>
  )
}

/** Of this card for this time, where its type has a price. */
function Cost({ type, ms }: { readonly type: string; readonly ms: number }) {
  const { data: prices } = useQuery(pricesQuery)
  const perHour = prices?.gpuPerHour[type]
  if (prices === undefined || perHour === undefined) return null
  return <div>cost {formatCost((ms / 3_600_000) * perHour, prices.currency)}</div>
}

function WorkerWords({
  worker: { id, endpoint, version, phases, startReason, endReason },
}: {
  readonly worker: NonNullable<Segment['worker']>
}) {
  return (
    <>
      <div>
        {endpoint.name}, release {version} · worker {shortId(id)}
      </div>
      <div>{phases.map(({ phase, from, to }) => `${phase} ${formatDuration(to - from)}`).join(' · ')}</div>
      <div>
        started: {startReason.replaceAll('_', ' ')}
        {endReason !== undefined && ` · ended: ${endReason.replaceAll('_', ' ')}`}
      </div>
    </>
  )
}

function readingsAt({ from, readingMs }: Picture, { load, memory, power }: LanePicture, at: number): string {
  const index = Math.floor((at - from) / readingMs)
  const words = [
    { name: 'load', value: load[index] },
    { name: 'memory', value: memory[index] },
    { name: 'power', value: power[index] },
  ].flatMap(({ name, value = NOT_KNOWN }) => (value === NOT_KNOWN ? [] : [`${name} ${formatPercent(value)}`]))
  return words.join(' · ')
}

export function TipBox({ left, top, children }: { readonly left: number; readonly top: number; readonly children: React.ReactNode }) {
  const isRight = left > 0.6
  return (
    <div
      className={styles.tip}
      aria-hidden
      style={{
        top,
        ...(isRight
          ? { right: `calc((100% - var(--labels)) * ${1 - left} + 14px)` }
          : { left: `calc(var(--labels) + (100% - var(--labels)) * ${left} + 14px)` }),
      }}
    >
      {children}
    </div>
  )
}
