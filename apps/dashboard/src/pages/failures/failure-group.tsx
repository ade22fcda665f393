import { Link } from '@tanstack/react-router'
import type { FailureListView } from '@runyard/schema/api'
import { keepRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { EndpointLink } from '../../ui/endpoint-link.tsx'
import { formatCount, shortId } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { WorkerLink } from '../../ui/worker-link.tsx'
import styles from './failures-page.module.css'

export interface FailureGroupProps {
  readonly group: FailureListView['failures'][number]
  readonly onRetry: () => void
}

/** One cause at one endpoint: how often, since when, an example, and what to do with all of them. */
export function FailureGroup({ group, onRetry }: FailureGroupProps) {
  const { fingerprint, endpoint, error, count, firstAt, lastAt, workers, example } = group
  const titleId = `failure-${endpoint.id}-${fingerprint}`
  return (
    <li className={styles.group} aria-labelledby={titleId}>
      <div className={styles.count}>
        <strong>{formatCount(count)}</strong>
        <span className="visually-hidden">{count === 1 ? ' job' : ' jobs'}</span>
      </div>
      <div className={styles.body}>
        <h2 id={titleId}>{error === '' ? 'An error without a text' : error}</h2>
        <p className={styles.facts}>
          <EndpointLink endpoint={endpoint} />
          <span>
            last <Moment at={lastAt} />
          </span>
          {count > 1 && (
            <span>
              first <Moment at={firstAt} />
            </span>
          )}
          <span>{describeWorkers(workers)}</span>
        </p>
        <Example example={example} />
        <div className={styles.actions}>
          {endpoint.isDeleted !== true && <Button onClick={onRetry}>Retry the group…</Button>}
          <Link to="/jobs" search={(search) => ({ ...keepRange(search), endpoint: endpoint.name, error: fingerprint })}>
            {count === 1 ? 'Its job' : `Its ${formatCount(count)} jobs`}
          </Link>
        </div>
      </div>
    </li>
  )
}

function Example({ example: { jobId, workerId, text } }: { readonly example: FailureGroupProps['group']['example'] }) {
  return (
    <details>
      <summary>Latest example</summary>
      <p className={styles.facts}>
        <Link to="/jobs/$id" params={{ id: jobId }} search={keepRange}>
          job {shortId(jobId)}
        </Link>
        {workerId !== undefined && (
          <span>
            worker <WorkerLink id={workerId} />
          </span>
        )}
      </p>
      <pre className={styles.text} tabIndex={0} role="region" aria-label="Its error">
        {text}
      </pre>
    </details>
  )
}

function describeWorkers(workers: number): string {
  if (workers === 0) return 'before a worker had it'
  return workers === 1 ? 'on one worker' : `on ${workers} workers`
}
