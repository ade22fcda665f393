// One endpoint: Runpod's header line with the reason beside it, and its parts as tabs with addresses of their own.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, Outlet } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { EndpointView, HealthView } from '@runyard/schema/api'
import { useTopic } from '../../api/live.ts'
import { endpointsQuery, healthQuery, jobsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { stateOfEndpoint } from '../../ui/endpoint-state.ts'
import { formatDuration } from '../../ui/format.ts'
import { useNow } from '../../ui/now.ts'
import { Page, Stack } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status } from '../../ui/status.tsx'
import { TabLinks } from '../../ui/tab-links.tsx'
import { EndpointContext } from './endpoint-context.ts'
import styles from './endpoint-page.module.css'

const route = getRouteApi('/endpoints/$id')

const TABS = [
  { to: '/endpoints/$id', label: 'Overview' },
  { to: '/endpoints/$id/requests', label: 'Requests' },
  { to: '/endpoints/$id/workers', label: 'Workers' },
  { to: '/endpoints/$id/logs', label: 'Logs' },
  { to: '/endpoints/$id/metrics', label: 'Metrics' },
  { to: '/endpoints/$id/releases', label: 'Releases' },
  { to: '/endpoints/$id/batches', label: 'Batches' },
  { to: '/endpoints/$id/settings', label: 'Settings' },
  { to: '/endpoints/$id/preview', label: 'Preview' },
] as const

/** A load balancer has neither. */
const OF_QUEUES: ReadonlySet<string> = new Set(['Batches', 'Preview'])

export function EndpointPage() {
  const { id } = route.useParams()
  const { data, error, refetch } = useQuery(endpointsQuery)
  const endpoint = data?.find((one) => one.id === id || one.name === id)
  if (error && data === undefined) {
    return (
      <Page title="Endpoint">
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    )
  }
  if (data === undefined) return null
  if (endpoint === undefined) {
    return (
      <Page title={`There is no endpoint ${id}`}>
        <p>
          It may have been deleted, or belong to another account.{' '}
          <Link to="/endpoints" search={keepRange}>
            Endpoints
          </Link>{' '}
          shows those that there are.
        </p>
      </Page>
    )
  }
  return (
    <EndpointContext value={endpoint}>
      <Stack>
        <Header endpoint={endpoint} />
        <TabLinks label={`Parts of ${endpoint.name}`}>
          {TABS.filter(({ label }) => endpoint.type === 'QUEUE' || !OF_QUEUES.has(label)).map(({ to, label }) => (
            <Link key={to} to={to} params={{ id }} search={keepRange} activeOptions={{ exact: true, includeSearch: false }}>
              {label}
            </Link>
          ))}
        </TabLinks>
        <Outlet />
      </Stack>
    </EndpointContext>
  )
}

function Header({ endpoint: { id, name, image, workers } }: { readonly endpoint: EndpointView }) {
  const cache = useQueryClient()
  const hear = useCallback(
    (value: unknown) => {
      if (value != null) cache.setQueryData(healthQuery(id).queryKey, value as HealthView)
    },
    [cache, id],
  )
  useTopic(`endpoint:${id}`, hear)
  const { data: health, error, refetch } = useQuery(healthQuery(id))
  return (
    <header className={styles.header}>
      <div className={styles.name}>
        <h1>{name}</h1>
        <code className={styles.id}>{id}</code>
        <CopyButton text={id} what="id" />
      </div>
      <p className={styles.facts}>
        <Status {...stateOfEndpoint({ workers }, health)} />
        {health && (
          <>
            <Fact value={`${health.workers.running + health.workers.idle} of ${workers.min}..${workers.max}`} name="workers" />
            <Fact value={health.jobs.inProgress} name="in progress" />
            <Fact value={health.jobs.inQueue} name="waiting" />
            {health.jobs.inQueue > 0 && <OldestWait endpoint={id} />}
          </>
        )}
        {image !== '' && <code className={styles.id}>{image}</code>}
      </p>
      {health?.reason !== undefined && (
        <p className={styles.reason}>
          <code>{health.reason}</code> {health.message}
        </p>
      )}
      {error && <Problem error={error} onRetry={() => void refetch()} />}
    </header>
  )
}

function Fact({ value, name }: { readonly value: number | string; readonly name: string }) {
  return (
    <span>
      <b>{value}</b> {name}
    </span>
  )
}

const MOST_WAITING = 500

/** Waiting jobs come newest first. */
function OldestWait({ endpoint }: { readonly endpoint: string }) {
  const { data } = useQuery(jobsQuery({ endpoint, status: 'IN_QUEUE', limit: MOST_WAITING }))
  const now = useNow(1000)
  const oldest = data?.jobs.at(-1)
  if (oldest === undefined) return null
  return (
    <span>
      oldest <b>{formatDuration(Math.max(0, now - oldest.submittedAt))}</b>
    </span>
  )
}
