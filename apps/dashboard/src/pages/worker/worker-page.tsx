// One worker, also days after its end: how it started against what is usual, the jobs that it ran, what it wrote, and how it ended.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { WorkerLifeView } from '@runyard/schema/api'
import { workerQuery, workersQuery } from '../../api/endpoint-queries.ts'
import { useTopic } from '../../api/live.ts'
import { jobsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { Empty } from '../../ui/empty.tsx'
import { EndpointLink } from '../../ui/endpoint-link.tsx'
import { capitalise, formatDuration, shortId } from '../../ui/format.ts'
import { JobTable } from '../../ui/job-table.tsx'
import { LogView } from '../../ui/logs/log-view.tsx'
import { Moment } from '../../ui/moment.tsx'
import { useNow } from '../../ui/now.ts'
import { PHASE_KINDS } from '../../ui/phase.ts'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status } from '../../ui/status.tsx'
import { StartView } from './start-view.tsx'
import styles from './worker-page.module.css'

const route = getRouteApi('/workers/$id')
const MOST_LIVES = 60

export function WorkerPage() {
  const { id } = route.useParams()
  const { data: worker, error, refetch } = useQuery(workerQuery(id))
  const cache = useQueryClient()
  const look = useCallback(() => {
    void cache.invalidateQueries({ queryKey: workerQuery(id).queryKey })
    void cache.invalidateQueries({ queryKey: ['jobs'] })
  }, [cache, id])
  useTopic(worker?.phase === 'gone' || worker === undefined ? undefined : `endpoint:${worker.endpoint.id}`, look)
  if (error && worker === undefined) {
    return (
      <Page title={`Worker ${shortId(id)}`}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    )
  }
  if (worker === undefined || worker.id !== id) return null
  return (
    <div className={styles.page}>
      <Header worker={worker} />
      <End worker={worker} />
      <section aria-labelledby="start">
        <h2 id="start">Start</h2>
        <Start worker={worker} />
      </section>
      <section aria-labelledby="jobs">
        <h2 id="jobs">Jobs</h2>
        <Jobs worker={id} />
      </section>
      <section aria-labelledby="logs">
        <h2 id="logs">Logs</h2>
        <LogView fixed={{ worker: id }} />
      </section>
    </div>
  )
}

function Header({ worker }: { readonly worker: WorkerLifeView }) {
  const now = useNow(1000)
  const { id, endpoint, phase, host, image, version, times, startReason, jobs, failed } = worker
  return (
    <header className={styles.header}>
      <h1>
        Worker <code title={id}>{shortId(id)}</code>
      </h1>
      <p className={styles.facts}>
        <Status kind={PHASE_KINDS[phase]} word={phase} />
        <span>
          of <EndpointLink endpoint={endpoint} />, release {version}
        </span>
        <Cards worker={worker} />
        <span>on {host}</span>
        <span>
          {times.gone === undefined ? 'up' : 'lived'} <b>{formatDuration(Math.max(0, (times.gone ?? now) - times.placed))}</b>
        </span>
        <span>
          <b>{jobs}</b> {jobs === 1 ? 'job' : 'jobs'}
          {failed > 0 && `, ${failed} failed`}
        </span>
      </p>
      <p className={styles.facts}>
        <span>
          placed <Moment at={times.placed} />: {startReason.replaceAll('_', ' ')}
        </span>
        <code className={styles.image}>{image}</code>
      </p>
    </header>
  )
}

/** Each with the way to what it did. */
function Cards({ worker }: { readonly worker: WorkerLifeView }) {
  if (worker.gpus.length === 0) return <span>no GPU</span>
  return worker.gpus.map(({ uuid, name, simulated }) => (
    <Link key={uuid} to="/gpus/$uuid" params={{ uuid }} search={keepRange} title={uuid}>
      {name}
      {simulated && ' (simulated)'}
    </Link>
  ))
}

/** How it ended, with the evidence. */
function End({ worker: { endReason, message, exitCode, oomKilled } }: { readonly worker: WorkerLifeView }) {
  if (endReason === undefined) return null
  return (
    <p className={styles.end}>
      <b>{capitalise(endReason.replaceAll('_', ' '))}.</b> {message !== undefined && `${capitalise(message)}.`}
      {exitCode !== undefined && exitCode !== null && ` Exit code ${exitCode}.`}
      {oomKilled === true && ' It was killed because it ran out of memory.'}
    </p>
  )
}

function Start({ worker }: { readonly worker: WorkerLifeView }) {
  const { data } = useQuery(workersQuery({ endpoint: worker.endpoint.id, limit: MOST_LIVES }))
  return <StartView worker={worker} lives={data ?? []} />
}

function Jobs({ worker }: { readonly worker: string }) {
  const { data, error, refetch } = useQuery(jobsQuery({ worker, limit: 10 }))
  if (error && data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  if (data === undefined) return null
  if (data.jobs.length === 0) return <Empty title="It has run no job">A job appears here when the worker takes it.</Empty>
  return (
    <>
      <JobTable caption="Jobs of this worker" jobs={data.jobs} />
      {data.nextCursor !== null && (
        <p>
          <Link to="/jobs" search={(search) => ({ ...keepRange(search), worker })}>
            All jobs of this worker
          </Link>
        </p>
      )}
    </>
  )
}
