import { memo, useEffect, useRef } from 'react'
import type { FoundJob } from '@runyard/schema/api'
import { useZone } from '../../app/preferences.ts'
import { formatAge, formatRun, formatTime, formatWait, shortId } from '../../ui/format.ts'
import { JobStatus } from '../../ui/job-status.tsx'
import styles from './jobs-page.module.css'

export interface JobRowProps {
  readonly job: FoundJob
  readonly index: number
  /** Where it is drawn, and how high, in pixels. */
  readonly start: number
  readonly size: number
  readonly now: number
  readonly href: string
  readonly isSelected: boolean
  /** The keys are about it. */
  readonly isCurrent: boolean
  readonly onToggle: (id: string) => void
  readonly onEnter: (index: number) => void
}

/** While the list is scrolled, a row that stays in sight is not drawn again. */
export const JobRow = memo(function JobRow(props: JobRowProps) {
  const { job, index, start, size, now, href, isSelected, isCurrent, onToggle, onEnter } = props
  const row = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isCurrent) row.current?.focus({ preventScroll: true })
  }, [isCurrent])
  return (
    <div
      ref={row}
      role="row"
      tabIndex={isCurrent ? 0 : -1}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={styles.row}
      data-current={isCurrent}
      style={{ transform: `translateY(${start}px)`, height: size }}
      onFocus={() => onEnter(index)}
    >
      <span role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${shortId(job.id)}`}
          checked={isSelected}
          onChange={() => onToggle(job.id)}
        />
      </span>
      <Cells job={job} now={now} href={href} />
    </div>
  )
})

function Cells({ job, now, href }: Pick<JobRowProps, 'job' | 'now' | 'href'>) {
  const { id, endpoint, status, submittedAt, endedAt, workerId = '–' } = job
  const zone = useZone()
  const at = endedAt ?? submittedAt
  const why = whyOf(job)
  const [waited, ran] = [formatWait(job, now), formatRun(job, now)]
  return (
    <>
      <span role="gridcell" title={status}>
        <JobStatus status={status} />
      </span>
      <span role="gridcell">
        <a href={href} data-job={id} className={styles.id} title={id}>
          {shortId(id)}
        </a>
      </span>
      <span role="gridcell" title={endpoint.name}>
        {endpoint.name}
      </span>
      <span role="gridcell" title={`${endedAt === undefined ? 'submitted' : 'ended'} ${formatTime(at, zone)}`}>
        {formatAge(Math.max(0, now - at))}
      </span>
      <span role="gridcell" data-label="waited" title={waited}>
        {waited}
      </span>
      <span role="gridcell" data-label="ran" title={ran}>
        {ran}
      </span>
      <span role="gridcell" title={workerId}>
        {workerId}
      </span>
      {why !== undefined && (
        <span role="gridcell" className={styles.why} data-status={status} title={why}>
          {why}
        </span>
      )}
    </>
  )
}

/** Why it waits or failed. */
export function whyOf(job: FoundJob | undefined): string | undefined {
  return job?.error ?? job?.message
}
