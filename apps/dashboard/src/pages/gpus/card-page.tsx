// One card: what it is now, its lane, its readings, and who had it.
import { getRouteApi, Link } from '@tanstack/react-router'
import type { PoolCard, PoolHost, TimelineLane } from '@runyard/schema/api'
import { keepRange } from '../../app/range.ts'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { WorkerLink } from '../../ui/worker-link.tsx'
import { CardNow, HostLink, useCard } from './card-panel.tsx'
import { CardReadings } from './card-readings.tsx'
import { LaneWorkers } from './lane-workers.tsx'
import { PinnedTimeline } from './pinned-timeline.tsx'
import { usePicture } from './use-picture.ts'
import styles from './gpus.module.css'

const route = getRouteApi('/gpus/$uuid')

export function CardPage() {
  const { uuid } = route.useParams()
  const picture = usePicture({ gpu: uuid })
  const { host, card, isKnown } = useCard(uuid)
  const lane = picture.data?.lanes[0]
  if (isKnown && picture.data?.lanes.length === 0) return <NoCard />
  return (
    <Page title={titleOf(card, host, lane)}>
      <p className={styles.links}>
        <code>{uuid}</code>
        <HostLink host={host} />
      </p>
      {picture.error && <Problem error={picture.error} onRetry={picture.refetch} />}
      {card && (
        <>
          <CardNow card={card} />
          <Holders card={card} />
        </>
      )}
      {isKnown && card === undefined && <p role="note">▲ It is no longer there.</p>}
      <PinnedTimeline picture={picture} />
      <CardReadings uuid={uuid} range={picture.range} isSimulated={isSimulated(card, lane)} />
      {lane && <LaneWorkers lane={lane} />}
    </Page>
  )
}

function titleOf(card: PoolCard | undefined, host: PoolHost | undefined, lane: TimelineLane | undefined): string {
  const name = card && host ? `Card ${card.index} of ${host.label}` : (lane?.name ?? 'Card')
  return isSimulated(card, lane) ? `${name} (simulated)` : name
}

const isSimulated = (card: PoolCard | undefined, lane: TimelineLane | undefined): boolean => (card ?? lane)?.simulated === true

function NoCard() {
  return (
    <Page title="There is no such card">
      <p>
        It is on none of the hosts, and no worker had it in this range.{' '}
        <Link to="/gpus" search={keepRange}>
          All GPUs
        </Link>
      </p>
    </Page>
  )
}

function Holders({ card: { holders } }: { readonly card: PoolCard }) {
  if (holders.length === 0) return <p>No worker has it now.</p>
  return (
    <p>
      Held by{' '}
      {holders.map(({ workerId, endpoint }, at) => (
        <span key={workerId ?? at}>
          {at > 0 && ', '}
          {workerId === null ? 'a worker of somebody else' : <WorkerLink id={workerId} />}
          {endpoint && ` of ${endpoint.name}`}
        </span>
      ))}
      .
    </p>
  )
}
