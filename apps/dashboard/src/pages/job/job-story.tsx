import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { JobDetailView, WorkerLifeView } from '@runyard/schema/api'
import { keepRange } from '../../app/range.ts'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { formatDuration } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { useNow } from '../../ui/now.ts'
import { WorkerLink } from '../../ui/worker-link.tsx'
import { Waterfall } from '../../ui/waterfall.tsx'
import { deliveriesQuery, isLive, lifeQuery, usualQuery } from './job-queries.ts'
import { attemptsOf, describeOutcome, writeStory } from './write-story.ts'
import styles from './job-page.module.css'

const MOST_WORKERS = 20

/** The waterfall, and the attempts as rows. */
export function JobStory({ job }: { readonly job: JobDetailView }) {
  const now = useNow(isLive(job) ? 250 : 60_000)
  const ids = [...new Set(job.attempts.map(({ workerId }) => workerId).concat(job.workerId ?? []))].filter(Boolean).slice(-MOST_WORKERS)
  const lives = useQueries({ queries: ids.map((id) => lifeQuery(id, isLive(job))) })
  const { data: usual = {} } = useQuery(usualQuery(job.endpoint.id))
  const { data: log } = useQuery({ ...deliveriesQuery(job.endpoint.id), enabled: job.endedAt !== undefined })
  const workers = new Map(lives.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data] as const])))
  const steps = writeStory({ job, workers, deliveries: log?.attempts ?? [], usual })
  return (
    <>
      <section className={styles.section} aria-labelledby="steps">
        <h2 id="steps">Where its time went</h2>
        <Waterfall label="Steps of this job" steps={steps} now={now} />
      </section>
      <Attempts job={job} workers={workers} />
    </>
  )
}

interface Row {
  readonly number: number
  readonly attempt: JobDetailView['attempts'][number]
  readonly worker: WorkerLifeView | undefined
  /** A later retry began the life that the page is about. */
  readonly isEarlier: boolean
  /** How the job ended, if this attempt ended it. */
  readonly outcome: string | undefined
}

const COLUMNS: readonly TableColumn<Row>[] = [
  { name: 'attempt', isNumber: true, cell: ({ number }) => number },
  { name: 'worker', cell: ({ attempt }) => (attempt.workerId === '' ? 'not known' : <WorkerLink id={attempt.workerId} />) },
  { name: 'where', cell: ({ worker }) => (worker === undefined ? 'not known' : <Place of={worker} />) },
  { name: 'started', cell: ({ attempt }) => <Moment at={attempt.startedAt} /> },
  {
    name: 'took',
    isNumber: true,
    cell: ({ attempt: { startedAt, endedAt } }) => (endedAt === undefined ? 'runs' : formatDuration(Math.max(0, endedAt - startedAt))),
  },
  {
    name: 'how it ended',
    cell: ({ attempt, worker, isEarlier, outcome }) =>
      attempt.evidence ?? (isEarlier ? 'the job was retried' : [outcome, describeEnd(worker)].filter(Boolean).join('; ')),
  },
]

/** Its host, and its cards with the way to what they did. */
function Place({ of: { host, gpus } }: { readonly of: WorkerLifeView }) {
  return (
    <span>
      {host}
      {gpus.map(({ name, uuid, simulated }) => (
        <span key={uuid}>
          {', '}
          <Link to="/gpus/$uuid" params={{ uuid }} search={keepRange} title={uuid}>
            {name}
            {simulated && ' (simulated)'}
          </Link>
        </span>
      ))}
    </span>
  )
}

function describeEnd(worker: WorkerLifeView | undefined): string | undefined {
  const { endReason, message, exitCode, oomKilled } = worker ?? {}
  if (endReason === undefined) return undefined
  const facts = [oomKilled === true && 'out of memory', exitCode != null && exitCode !== 0 && `exit code ${exitCode}`].filter(Boolean)
  return `later, ${[message ?? `the worker ended: ${endReason.replaceAll('_', ' ')}`, ...facts].join(', ')}`
}

function Attempts({ job, workers }: { readonly job: JobDetailView; readonly workers: ReadonlyMap<string, WorkerLifeView> }) {
  const { earlier, own } = attemptsOf(job)
  const attempts = [...earlier, ...own]
  if (attempts.length === 0) return null
  const rows = attempts.map((attempt, index) => {
    const isLast = index === attempts.length - 1
    return {
      number: index + 1,
      attempt,
      worker: workers.get(attempt.workerId),
      isEarlier: index < earlier.length,
      outcome: isLast ? describeOutcome(job) : undefined,
    }
  })
  return (
    <section className={styles.section} aria-labelledby="attempts">
      <h2 id="attempts">{rows.length === 1 ? 'Its worker' : 'Attempts'}</h2>
      <DataTable caption="Attempts" columns={COLUMNS} rows={rows} keyOf={({ number }) => `${number}`} />
    </section>
  )
}
