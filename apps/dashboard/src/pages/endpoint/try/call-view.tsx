// What became of a request: its state and times, chunks as they came, and the output, which is text.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { JobView } from '@runyard/schema/api'
import { keepRange } from '../../../app/range.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyButton } from '../../../ui/copy.tsx'
import { formatCount, formatDuration } from '../../../ui/format.ts'
import { JobStatus } from '../../../ui/job-status.tsx'
import { useNow } from '../../../ui/now.ts'
import { Problem } from '../../../ui/problem.tsx'
import { Status } from '../../../ui/status.tsx'
import { WorkerLink } from '../../../ui/worker-link.tsx'
import { jobQuery } from '../../job/job-queries.ts'
import { JobStory } from '../../job/job-story.tsx'
import { findMedia } from './find-media.ts'
import { Media } from './media.tsx'
import { knownFacts, outputOf } from './known-facts.ts'
import { joinDeltas, type CallState, type Chunk } from './run-call.ts'
import styles from './try-it.module.css'

export function CallView({ state }: { readonly state: CallState }) {
  const { job, chunks, answer, error } = state
  const said = joinDeltas(chunks)
  return (
    <>
      <StateLine state={state} />
      {job && <Why job={job} />}
      {error && <Problem error={error} />}
      {said !== '' && <Text name="Answer" text={said} />}
      {chunks.length > 0 && <Chunks chunks={chunks} begunAt={state.begunAt} />}
      <Output name={state.endedAt === undefined ? 'Progress' : 'Output'} value={(job && outputOf(job)) ?? answer} />
      {state.jobId !== undefined && <Story jobId={state.jobId} />}
    </>
  )
}

/** Where its time goes, and went. */
function Story({ jobId }: { readonly jobId: string }) {
  const { data } = useQuery(jobQuery(jobId))
  return data === undefined ? null : <JobStory job={data} />
}

/** Why it waits, or failed. */
function Why({ job: { queueReason, queueMessage, queueRemedy, error } }: { readonly job: JobView }) {
  return (
    <>
      {queueMessage !== undefined && (
        <p className={styles.muted}>
          <code>{queueReason}</code> {queueMessage} {queueRemedy}
        </p>
      )}
      {error !== undefined && <Text name="Error" text={error} />}
    </>
  )
}

function StateLine({ state }: { readonly state: CallState }) {
  const now = useNow(100)
  const { begunAt, endedAt, jobId, job, chunks } = state
  const [first] = chunks
  return (
    <p className={styles.facts}>
      <StateMark state={state} />
      <span>
        <b>{formatDuration(Math.max(0, (endedAt ?? now) - begunAt))}</b> {endedAt === undefined ? 'so far' : 'in all'}
      </span>
      {job && <JobFacts job={job} />}
      {first && (
        <span>
          first chunk after <b>{formatDuration(first.at - begunAt)}</b>, {formatCount(rateOf(chunks))} a second
        </span>
      )}
      {jobId !== undefined && (
        <Link to="/jobs/$id" params={{ id: jobId }} search={keepRange}>
          <code>{jobId}</code>
        </Link>
      )}
    </p>
  )
}

function StateMark({ state: { job, endedAt, error } }: { readonly state: CallState }) {
  if (error) return <Status kind="trouble" word="refused" />
  if (job) return <JobStatus status={job.status} />
  return endedAt === undefined ? <Status kind="starting" word="sent" /> : <Status kind="done" word="answered" />
}

function JobFacts({ job }: { readonly job: JobView }) {
  const { delayTime, executionTime, workerId } = knownFacts(job)
  return (
    <>
      {delayTime !== undefined && (
        <span>
          waited <b>{formatDuration(delayTime)}</b>
        </span>
      )}
      {executionTime !== undefined && (
        <span>
          ran <b>{formatDuration(executionTime)}</b>
        </span>
      )}
      {workerId !== undefined && (
        <span>
          on <WorkerLink id={workerId} />
        </span>
      )}
    </>
  )
}

/** After the first: the time until then is the start. */
function rateOf(chunks: readonly Chunk[]): number {
  const ms = (chunks.at(-1)?.at ?? 0) - (chunks[0]?.at ?? 0)
  return ms === 0 ? chunks.length : ((chunks.length - 1) * 1000) / ms
}

const MOST_CHUNKS = 200

function Chunks({ chunks, begunAt }: { readonly chunks: readonly Chunk[]; readonly begunAt: number }) {
  const shown = chunks.slice(-MOST_CHUNKS)
  const first = chunks.length - shown.length
  return (
    <section aria-label="Chunks">
      <h3>
        {formatCount(chunks.length)} {chunks.length === 1 ? 'chunk' : 'chunks'}
      </h3>
      <ol className={styles.chunks} tabIndex={0} aria-label="Chunks with their times">
        {shown.map(({ at, output }, index) => (
          <li key={first + index}>
            <span className={styles.muted}>{formatDuration(at - begunAt)}</span> <code>{JSON.stringify(output)}</code>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Output({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (value === undefined) return null
  return (
    <>
      <Text name={name} text={typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')} />
      {findMedia(value).map((media) => (
        <Media key={media.path} media={media} />
      ))}
    </>
  )
}

const MOST_LETTERS = 32_768

function Text({ name, text }: { readonly name: string; readonly text: string }) {
  const [isWhole, setWhole] = useState(false)
  const isLong = text.length > MOST_LETTERS && !isWhole
  return (
    <section aria-label={name} className={styles.text}>
      <div className={styles.actions}>
        <h3>{name}</h3>
        <CopyButton text={text} />
        {isLong && <Button onClick={() => setWhole(true)}>Show all {formatCount(text.length)} letters</Button>}
      </div>
      <pre tabIndex={0} role="region" aria-label={name}>
        {isLong ? `${text.slice(0, MOST_LETTERS)}…` : text}
      </pre>
    </section>
  )
}
