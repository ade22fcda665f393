// One host: how it is, its cards now, and what they did.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { PoolCard, PoolHost } from '@runyard/schema/api'
import { poolQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatBytes, formatPercent } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status } from '../../ui/status.tsx'
import { whyOutOfUse } from './card-panel.tsx'
import { PinnedTimeline } from './pinned-timeline.tsx'
import { usePicture } from './use-picture.ts'

const route = getRouteApi('/hosts/$id')

/** Named by its id or by the operator's name for it. */
export function HostPage() {
  const { id: word } = route.useParams()
  const pool = useQuery(poolQuery)
  const host = pool.data?.hosts.find(({ id, label }) => id === word || label === word)
  if (host !== undefined) return <KnownHost host={host} />
  if (pool.error) {
    return (
      <Page title="Host">
        <Problem error={pool.error} onRetry={() => void pool.refetch()} />
      </Page>
    )
  }
  return (
    pool.data && (
      <Page title="There is no such host">
        <p>
          It may have been taken out of the configuration.{' '}
          <Link to="/gpus" search={keepRange}>
            All GPUs
          </Link>
        </p>
      </Page>
    )
  )
}

function KnownHost({ host }: { readonly host: PoolHost }) {
  const { id } = host
  const picture = usePicture({})
  const { data } = picture
  const own = useMemo(() => data && { ...data, lanes: data.lanes.filter(({ hostId }) => hostId === id) }, [data, id])
  return (
    <Page title={`Host ${host.label}`}>
      <HostFacts host={host} />
      {picture.error && <Problem error={picture.error} onRetry={picture.refetch} />}
      {host.gpus.length === 0 ? (
        <Empty title="It has no GPU">Workers that need none run here.</Empty>
      ) : (
        <DataTable caption="Cards" columns={COLUMNS} rows={host.gpus} keyOf={({ uuid }) => uuid} />
      )}
      {own && own.lanes.length > 0 && (
        <>
          <h2>What its cards did</h2>
          <PinnedTimeline picture={{ ...picture, data: own }} />
        </>
      )}
    </Page>
  )
}

function HostFacts({ host }: { readonly host: PoolHost }) {
  const { kind, health, problem, seenAt, cordon, rest, lowDisk, cpus, memoryBytes, standby } = host
  return (
    <>
      <p>
        <Status kind={health === 'ready' ? 'running' : 'trouble'} word={health} />
        {problem !== undefined && `: ${problem}`} · {kind}
        {cpus !== undefined && ` · ${cpus} CPUs`}
        {memoryBytes !== undefined && ` · ${formatBytes(memoryBytes)}`}
        {standby > 0 && ` · ${standby} standby`} · seen <Moment at={seenAt} />
      </p>
      {cordon && <p role="note">▲ Cordoned: no new worker starts here.</p>}
      {rest && <p role="note">▲ {rest.message}</p>}
      {lowDisk !== undefined && <p role="note">▲ {lowDisk}</p>}
    </>
  )
}

const COLUMNS: readonly TableColumn<PoolCard>[] = [
  {
    name: 'card',
    cell: ({ uuid, index }) => (
      <Link to="/gpus/$uuid" params={{ uuid }} search={keepRange}>
        {index}
      </Link>
    ),
  },
  { name: 'type', cell: ({ name, simulated }) => `${name}${simulated ? ' (simulated)' : ''}` },
  { name: 'state', cell: (card) => <CardState card={card} /> },
  { name: 'held by', cell: ({ holders }) => holders.map(({ endpoint }) => endpoint?.name ?? 'somebody else').join(', ') },
  { name: 'load', isNumber: true, cell: ({ sample }) => (sample?.load == null ? '–' : formatPercent(sample.load)) },
  { name: 'memory', isNumber: true, cell: ({ sample }) => (sample?.memory == null ? '–' : formatPercent(sample.memory)) },
  { name: 'power', isNumber: true, cell: ({ sample }) => (sample?.powerW == null ? '–' : `${Math.round(sample.powerW)} W`) },
  {
    name: 'temperature',
    isNumber: true,
    cell: ({ sample }) => (sample?.temperatureC == null ? '–' : `${Math.round(sample.temperatureC)} °C`),
  },
]

function CardState({ card: { healthy, fault, outOfUse, holders } }: { readonly card: PoolCard }) {
  if (outOfUse) return <Status kind="trouble" word={`${outOfUse.kind}: ${whyOutOfUse(outOfUse)}`} />
  if (!healthy) return <Status kind="trouble" word={fault ?? 'not healthy'} />
  return holders.length > 0 ? <Status kind="running" word="held" /> : <Status kind="idle" word="free" />
}
