// A worker in short: whose it is, its phases, why it started and ended, its latest jobs, its last lines.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { WorkerLifeView } from '@runyard/schema/api'
import { jobsQuery } from '../../api/queries.ts'
import { workerQuery } from '../../api/endpoint-queries.ts'
import { lastLinesQuery } from '../../api/timeline-queries.ts'
import { useZone } from '../../app/preferences.ts'
import { keepRange } from '../../app/range.ts'
import { formatClock, formatDuration, shortId } from '../../ui/format.ts'
import { JobStatus } from '../../ui/job-status.tsx'
import { Problem } from '../../ui/problem.tsx'
import { startPhases } from '../../ui/start-phases.ts'
import { WorkerLink } from '../../ui/worker-link.tsx'
import styles from './gpus.module.css'

const JOBS = 6

export function WorkerPart({ id }: { readonly id: string }) {
  const life = useQuery(workerQuery(id))
  const jobs = useQuery(jobsQuery({ worker: id, limit: JOBS }))
  const lines = useQuery(lastLinesQuery(id))
  if (life.error) return <Problem error={life.error} />
  if (life.data === undefined) return <p>Reading what is known of worker {shortId(id)} …</p>
  return (
    <>
      <WorkerFacts life={life.data} />
      <Phases life={life.data} />
      <h3>Its latest jobs</h3>
      {jobs.data?.jobs.length === 0 && <p>It has had none.</p>}
      <ul className={styles.jobs}>
        {jobs.data?.jobs.map(({ id: jobId, status, runMs, error }) => (
          <li key={jobId}>
            <JobStatus status={status} /> <code>{shortId(jobId)}</code>
            {runMs !== undefined && ` · ${formatDuration(runMs)}`}
            {error !== undefined && <div className={styles.error}>{error}</div>}
          </li>
        ))}
      </ul>
      <h3>Its last lines</h3>
      <pre className={styles.lines} tabIndex={0} role="region" aria-label="Last lines of the worker">
        {lines.data === undefined || lines.data.lines.length === 0
          ? 'None are kept: lines stay for an hour after a worker ends.'
          : lines.data.lines.map(({ line }) => line).join('\n')}
      </pre>
    </>
  )
}

function WorkerFacts({ life }: { readonly life: WorkerLifeView }) {
  const { id, endpoint, version, image, startReason, endReason, message, jobs, failed, phase, exitCode } = life
  return (
    <dl className={styles.facts}>
      <dt>worker</dt>
      <dd>
        <WorkerLink id={id} />, {phase}
      </dd>
      <dt>endpoint</dt>
      <dd>
        <Link to="/endpoints/$id" params={{ id: endpoint.id }} search={keepRange}>
          {endpoint.name}
        </Link>
        , release {version}
      </dd>
      <dt>image</dt>
      <dd>{image}</dd>
      <dt>jobs</dt>
      <dd>
        {jobs} ended, {failed} failed
      </dd>
      <dt>started</dt>
      <dd>{startReason.replaceAll('_', ' ')}</dd>
      {endReason !== undefined && (
        <>
          <dt>ended</dt>
          <dd>
            {message ?? endReason.replaceAll('_', ' ')}
            {exitCode != null && `, exit code ${exitCode}`}
          </dd>
        </>
      )}
    </dl>
  )
}

/** How long each step of its start took, as bars of one scale. */
function Phases({ life: { times } }: { readonly life: WorkerLifeView }) {
  const zone = useZone()
  const steps = startPhases(times).map(({ name, from, to }) => ({ name, ms: to - from }))
  const most = Math.max(1, ...steps.map(({ ms }) => ms))
  return (
    <>
      <h3>Its start at {formatClock(times.placed, zone)}</h3>
      <ol className={styles.steps}>
        {steps.map(({ name, ms }) => (
          <li key={name}>
            <span>{name}</span>
            <span className={styles.bar} style={{ width: `${Math.max(1, (100 * ms) / most)}%` }} aria-hidden />
            <span>{formatDuration(ms)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
