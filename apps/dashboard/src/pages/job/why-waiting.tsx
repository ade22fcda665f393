// Why a job waits, rung by rung: accepted, a worker is wanted, it has a place, the worker starts, it takes the job (ADR 54).
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ExplainView, JobDetailView } from '@runyard/schema/api'
import { keepRange } from '../../app/range.ts'
import { explainQuery, keysQuery, NOTHING_MEANWHILE } from '../../api/queries.ts'
import { sessionQuery } from '../../api/session.ts'
import { useRefusal } from '../../app/scope.tsx'
import { formatCount, formatDuration, shortId } from '../../ui/format.ts'
import { Ladder, Rung } from '../../ui/ladder.tsx'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { HostVerdicts } from './host-verdicts.tsx'
import { usualQuery } from './job-queries.ts'
import { describeDemand, stepsTo, type StepState } from './steps-to-start.ts'
import styles from './job-page.module.css'

export function WhyWaiting({ job }: { readonly job: JobDetailView }) {
  const explain = useQuery({ ...explainQuery(job.id), ...NOTHING_MEANWHILE })
  const { data: usual } = useQuery(usualQuery(job.endpoint.id))
  if (explain.error) return <Problem error={explain.error} onRetry={() => void explain.refetch()} />
  if (explain.data === undefined) return <p>Asking why…</p>
  const { ahead } = job
  return (
    <Ladder label="What this job waits for">
      <Rung
        state="done"
        title={
          <>
            Accepted <Moment at={job.submittedAt} />
            {job.keyId !== undefined && (
              <>
                {' by the key '}
                <KeyName id={job.keyId} />
              </>
            )}
          </>
        }
      >
        {ahead !== undefined && (
          <span className={styles.muted}>{ahead === 0 ? 'First in its queue.' : `${formatCount(ahead)} before it in its queue.`}</span>
        )}
      </Rung>
      <Start seen={explain.data} />
      <Rung
        state="note"
        title={
          usual?.waitMs === undefined
            ? 'No job of this endpoint started within 24 h.'
            : `Usually waits ${formatDuration(usual.waitMs)} (p50 of 24 h).`
        }
      />
    </Ladder>
  )
}

/** By its name, where the session may read it. */
function KeyName({ id }: { readonly id: string }) {
  const { data: session } = useQuery(sessionQuery)
  const mayList = useRefusal('admin') === undefined
  const { data: keys = [] } = useQuery({ ...keysQuery, enabled: mayList && session?.id !== id })
  const name = session?.id === id ? session.name : keys.find((key) => key.id === id)?.name
  return name === undefined ? <code title={id}>{shortId(id)}</code> : <span title={id}>{name}</span>
}

function Start({ seen }: { readonly seen: ExplainView }) {
  const { wanted, place, start, take } = stepsTo(seen.reason)
  return (
    <>
      <Rung state={wanted} title={wanted === 'stopped' ? 'No worker is wanted for it' : `A worker is wanted: ${describeDemand(seen)}`}>
        <Why state={wanted} seen={seen} />
      </Rung>
      <Rung state={place} title={PLACE[place]}>
        <Why state={place} seen={seen} />
        {place === 'stopped' && (
          <>
            {seen.release !== undefined && <p>{seen.release}</p>}
            <p className={styles.muted}>It needs {seen.wanted}.</p>
            <HostVerdicts hosts={seen.hosts} />
          </>
        )}
        {place === 'stopped' && seen.changes.length > 0 && <Changes seen={seen} />}
      </Rung>
      <Rung state={start} title="The worker starts">
        <Why state={start} seen={seen} />
      </Rung>
      <Rung state={take} title="It takes the job">
        <Why state={take} seen={seen} />
      </Rung>
    </>
  )
}

/** Where it stops or stands: the reason, in the word of the API with its sentence. */
function Why({ state, seen: { message, reason } }: { readonly state: StepState; readonly seen: ExplainView }) {
  if (state !== 'stopped' && state !== 'going') return null
  return (
    <p>
      {message} <code className={styles.reason}>{reason}</code>
    </p>
  )
}

const PLACE = {
  done: 'It has a place',
  going: 'A place is looked for',
  stopped: 'No place for another worker',
  later: 'It has a place',
} as const

/** Refusals of a card that other GPU types of the endpoint would avoid. */
const OF_TYPES: ReadonlySet<string> = new Set(['other_type', 'memory_reserved'])

function Changes({ seen: { changes, endpoint, hosts } }: { readonly seen: ExplainView }) {
  const ofTypes = new Set(
    hosts.flatMap(({ gpus }) => gpus.flatMap(({ refusal }) => (refusal && OF_TYPES.has(refusal.reason) ? refusal.remedy : []))),
  )
  return (
    <div>
      <h3>What would change it</h3>
      <ul className={styles.changes}>
        {changes.map((change) => (
          <li key={change}>
            {change}
            {ofTypes.has(change) && (
              <>
                {' '}
                <Link to="/endpoints/$id/settings" params={{ id: endpoint.id }} search={keepRange}>
                  Edit GPUs
                </Link>
              </>
            )}
          </li>
        ))}
      </ul>
      <p>
        <Link to="/endpoints/$id/settings" params={{ id: endpoint.id }} search={keepRange}>
          Settings of {endpoint.name}
        </Link>
      </p>
    </div>
  )
}
