// What is known of one place in the picture: the card now, the worker that had it then, with its phases, its jobs, how it ended and what it said last.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Fragment, useEffect, useMemo } from 'react'
import type { PoolCard, PoolHost, TimelineView } from '@runyard/schema/api'
import { poolQuery } from '../../api/queries.ts'
import { timelineQuery } from '../../api/timeline-queries.ts'
import { useZone } from '../../app/preferences.ts'
import { keepRange } from '../../app/range.ts'
import { cardName, describeSegment, segmentAt, type Segment } from '../../timeline/describe.ts'
import { toPicture } from '../../timeline/picture.ts'
import type { Pin } from '../../timeline/timeline.tsx'
import { Button } from '../../ui/button.tsx'
import { formatBytes, formatClock, formatPercent } from '../../ui/format.ts'
import { WorkerPart } from './worker-part.tsx'
import styles from './gpus.module.css'

/** Around the time, where the picture has too much to list workers. */
const NEAR_MS = 30_000

export interface CardPanelProps {
  readonly pin: Pin
  readonly data: TimelineView
  readonly onClose: () => void
}

export function CardPanel({ pin, data, onClose }: CardPanelProps) {
  const zone = useZone()
  useEscape(onClose)
  const { lane, segment } = useSegment(pin, data)
  const { host, card } = useCard(pin.uuid)
  const words = lane && describeSegment(lane.lane, segment, (at) => formatClock(at, zone)).split(', ')
  return (
    <aside className={styles.panel} aria-labelledby="panel-title">
      <header className={styles.panelHead}>
        <h2 id="panel-title">{lane ? cardName(lane.lane) : 'A card'}</h2>
        <Button aria-label="Close" onClick={onClose}>
          ✕
        </Button>
      </header>
      <p>{words?.slice(1).join(' · ')}</p>
      {segment && <WorkerThen segment={segment} />}
      {card && <CardNow card={card} />}
      <p className={styles.links}>
        <Link to="/gpus/$uuid" params={{ uuid: pin.uuid }} search={keepRange}>
          All about this card
        </Link>
        <HostLink host={host} />
      </p>
    </aside>
  )
}

function WorkerThen({ segment: { worker, phase } }: { readonly segment: Segment }) {
  if (worker !== undefined) return <WorkerPart key={worker.id} id={worker.id} />
  return phase === 'busy' ? <p>It ran for somebody else.</p> : null
}

export function HostLink({ host }: { readonly host: PoolHost | undefined }) {
  if (host === undefined) return null
  return (
    <Link to="/hosts/$id" params={{ id: host.id }} search={keepRange}>
      Host {host.label}
    </Link>
  )
}

/** Of the picture; where that has too much to list workers, of an answer for this place alone. */
function useSegment({ uuid, at }: Pin, data: TimelineView) {
  const isFar = data.level === 'far'
  const near = useQuery({ ...timelineQuery({ from: at - NEAR_MS, to: at + NEAR_MS, px: 600, gpu: uuid }), enabled: isFar })
  const shown = isFar ? near.data : data
  const picture = useMemo(() => shown && toPicture(shown), [shown])
  const lane = picture?.lanes.find(({ lane: { uuid: own } }) => own === uuid)
  return { lane, segment: picture && lane && segmentAt(picture, lane, at) }
}

/** The card and its host as they are now; undefined: it is no longer there. */
export function useCard(uuid: string): {
  readonly host?: PoolHost | undefined
  readonly card?: PoolCard | undefined
  readonly isKnown: boolean
} {
  const { data } = useQuery(poolQuery)
  const host = data?.hosts.find(({ gpus }) => gpus.some((card) => card.uuid === uuid))
  return { host, card: host?.gpus.find((card) => card.uuid === uuid), isKnown: data !== undefined }
}

function useEscape(onClose: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [onClose])
}

/** The card as it is at this moment, whatever time is looked at. */
export function CardNow({ card }: { readonly card: PoolCard }) {
  return (
    <dl className={styles.facts}>
      {factsOf(card).map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}

function factsOf({
  name,
  memoryBytes,
  simulated,
  healthy,
  fault,
  outOfUse,
  sample,
  reserved,
}: PoolCard): readonly (readonly [string, string])[] {
  const readings = readingsOf(sample)
  const facts: (readonly [string, string])[] = [
    ['card', `${name}, ${formatBytes(memoryBytes)}${simulated ? ', simulated' : ''}`],
    ['now', readings === '' ? 'no reading' : readings],
  ]
  if (!healthy) facts.push(['fault', `✕ ${fault ?? 'not healthy'}`])
  if (outOfUse) facts.push([outOfUse.kind, `✕ ${whyOutOfUse(outOfUse)}`])
  if (reserved === true) facts.push(['reserved', 'the operator keeps it for other uses'])
  return facts
}

/** In words. */
export function whyOutOfUse({ message, cause }: NonNullable<PoolCard['outOfUse']>): string {
  return message ?? cause?.replaceAll('_', ' ') ?? 'its memory is not free yet'
}

function readingsOf(sample: PoolCard['sample']): string {
  const { load = null, memory = null, powerW = null, temperatureC = null } = sample ?? {}
  const words = [
    load === null ? [] : `load ${formatPercent(load)}`,
    memory === null ? [] : `memory ${formatPercent(memory)}`,
    powerW === null ? [] : `${Math.round(powerW)} W`,
    temperatureC === null ? [] : `${Math.round(temperatureC)} °C`,
  ]
  return words.flat().join(' · ')
}
