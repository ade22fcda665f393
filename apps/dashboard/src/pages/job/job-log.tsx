import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { JobDetailView } from '@runyard/schema/api'
import { useZone } from '../../app/preferences.ts'
import { keepRange } from '../../app/range.ts'
import { formatClock } from '../../ui/format.ts'
import { AnsiText } from '../../ui/logs/ansi-text.tsx'
import { parseJsonLine } from '../../ui/logs/json-line.ts'
import { Problem } from '../../ui/problem.tsx'
import { linesQuery } from './job-queries.ts'
import styles from './job-page.module.css'

/** Lines that are known to belong to the job, the last of them. */
export function JobLog({ job }: { readonly job: JobDetailView }) {
  const zone = useZone()
  const { data, error } = useQuery(linesQuery(job))
  return (
    <section className={styles.section} aria-labelledby="log">
      <h2 id="log">What it wrote</h2>
      {data !== undefined && data.lines.length > 0 && (
        <p>
          <Link to="/logs" search={(search) => ({ ...keepRange(search), job: job.id })}>
            {data.nextCursor === null ? 'In the logs' : 'Earlier lines in the logs'}
          </Link>
        </p>
      )}
      {error && <Problem error={error} />}
      {data?.lines.length === 0 && (
        <p className={styles.muted}>
          No line is known to belong to this job: it wrote none, its worker had several jobs at a time, or has been gone for an hour.
        </p>
      )}
      {data !== undefined && data.lines.length > 0 && (
        <pre className={styles.text} tabIndex={0} role="log" aria-labelledby="log">
          {data.lines.map(({ at, line, workerId }, index) => (
            <span key={`${workerId} ${at} ${index}`} className={styles.line}>
              <span className={styles.muted}>{formatClock(at, zone)}</span>
              <span>
                <LineText line={line} jobId={job.id} />
              </span>
            </span>
          ))}
        </pre>
      )}
    </section>
  )
}

/** Lines of structured loggers as their message and members, as in the logs. */
function LineText({ line, jobId }: { readonly line: string; readonly jobId: string }) {
  const json = parseJsonLine(line, jobId)
  if (json === undefined) return <AnsiText text={line} />
  return (
    <>
      {json.message} <span className={styles.muted}>{json.rest}</span>
    </>
  )
}
