// Why does this job wait, or what became of it: one sentence, then the ladder or the waterfall, then what it carries and what it wrote.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { JobDetailView } from '@runyard/schema/api'
import { useTopic } from '../../api/live.ts'
import { keepRange } from '../../app/range.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { EndpointLink } from '../../ui/endpoint-link.tsx'
import { formatDuration } from '../../ui/format.ts'
import { JobStatus } from '../../ui/job-status.tsx'
import { Moment } from '../../ui/moment.tsx'
import { useNow } from '../../ui/now.ts'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { JobActions } from './job-actions.tsx'
import { JobLog } from './job-log.tsx'
import { isLive, jobQuery } from './job-queries.ts'
import { JobStory } from './job-story.tsx'
import { JobValue } from './job-value.tsx'
import { WhyWaiting } from './why-waiting.tsx'
import styles from './job-page.module.css'

const route = getRouteApi('/jobs/$id')

export function JobPage() {
  const { id } = route.useParams()
  const cache = useQueryClient()
  const { data: job, error, refetch } = useQuery(jobQuery(id))
  const hear = useCallback(() => {
    for (const key of ['job', 'explain', 'queue', 'lines']) void cache.invalidateQueries({ queryKey: [key] })
  }, [cache])
  // Of an ended one nothing comes.
  useTopic(isLive(job) ? `job:${id}` : undefined, hear)
  if (job === undefined) {
    return <Page title={id}>{error ? <Problem error={error} onRetry={() => void refetch()} /> : <p>Looking for the job…</p>}</Page>
  }
  const waits = job.status === 'IN_QUEUE'
  return (
    <div className={styles.page}>
      <Head job={job} />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {job.text !== undefined && <WhatWentWrong job={job} />}
      {waits && (
        <section className={styles.section} aria-labelledby="why">
          <h2 id="why">Why it waits</h2>
          <WhyWaiting job={job} />
        </section>
      )}
      {hasStarted(job) && <JobStory job={job} />}
      <div className={styles.values}>
        <JobValue job={job} name="input" />
        {!waits && <JobValue key={job.status} job={job} name="output" />}
      </div>
      {!waits && <JobLog job={job} />}
    </div>
  )
}

/** One bar that only waits says nothing that the ladder does not. */
const hasStarted = ({ status, attempts }: JobDetailView): boolean => status !== 'IN_QUEUE' || attempts.length > 0

function Head({ job }: { readonly job: JobDetailView }) {
  return (
    <header className={styles.head}>
      <p className={styles.muted}>
        <Link to="/jobs" search={(search) => ({ ...keepRange(search), endpoint: job.endpoint.name })}>
          Jobs of {job.endpoint.name}
        </Link>
      </p>
      <div className={styles.title}>
        <h1>{job.id}</h1>
        <CopyButton text={job.id} what="id" />
      </div>
      <p className={styles.sentence}>
        <JobStatus status={job.status} />
        <span>
          on <EndpointLink endpoint={job.endpoint} />
        </span>
        <Sentence job={job} />
      </p>
      <JobActions job={job} />
    </header>
  )
}

/** `for 1 min 24 s`, `3 min ago, after 0.4 s of waiting and 1.2 s of running`. */
function Sentence({ job }: { readonly job: JobDetailView }) {
  const { status, submittedAt, startedAt = submittedAt, endedAt, cause = 'result' } = job
  const now = useNow(1000)
  if (endedAt === undefined) {
    const since = status === 'IN_QUEUE' ? submittedAt : startedAt
    return <span>{`for ${formatDuration(Math.max(0, now - since))}${describeRetries(job)}`}</span>
  }
  return (
    <span>
      <Moment at={endedAt} />
      {describeSpans(job)}
      {describeRetries(job)}
      {cause !== 'result' && ` (ended by: ${cause})`}
    </span>
  )
}

function describeRetries({ retries }: JobDetailView): string {
  if (retries === 0) return ''
  return retries === 1 ? ', once retried' : `, ${retries} times retried`
}

function describeSpans({ delayMs, runMs }: JobDetailView): string {
  const waited = delayMs === undefined ? [] : [`${formatDuration(delayMs)} of waiting`]
  const ran = runMs === undefined ? [] : [`${formatDuration(runMs)} of running`]
  return waited.length + ran.length === 0 ? '' : `, after ${[...waited, ...ran].join(' and ')}`
}

function WhatWentWrong({ job }: { readonly job: JobDetailView }) {
  const { fingerprint } = job
  return (
    <section className={styles.section} aria-labelledby="error">
      <h2 id="error">{job.status === 'CANCELLED' ? 'Why it ended' : 'What went wrong'}</h2>
      <pre className={styles.text} data-kind="error" tabIndex={0} role="region" aria-labelledby="error">
        {job.text}
      </pre>
      {fingerprint !== undefined && (
        <p>
          <Link to="/jobs" search={(search) => ({ ...keepRange(search), endpoint: job.endpoint.name, error: fingerprint })}>
            Jobs that failed the same way
          </Link>
        </p>
      )}
    </section>
  )
}
