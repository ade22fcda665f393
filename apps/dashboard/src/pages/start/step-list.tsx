import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback } from 'react'
import { client } from '../../api/client.ts'
import { useTopic } from '../../api/live.ts'
import { endpointsQuery, jobsQuery, NOTHING_MEANWHILE } from '../../api/queries.ts'
import { sessionQuery } from '../../api/session.ts'
import { keepRange } from '../../app/range.ts'
import { formatDuration } from '../../ui/format.ts'
import { Ladder, Rung } from '../../ui/ladder.tsx'
import { Problem } from '../../ui/problem.tsx'
import { firstSteps } from './first-steps.ts'

/** No topic reports a first endpoint or a first job; the job itself has one. */
const LOOK_MS = 1500
const latestQuery = { ...jobsQuery({ limit: 1 }), refetchInterval: LOOK_MS }
const detailQuery = (id: string | undefined) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['job', id ?? ''],
    queryFn: () => client.history.getJob(id ?? ''),
    enabled: id !== undefined,
    refetchInterval: LOOK_MS,
  })

/** Ticks itself off by what the API says of the latest job. */
export function StepList() {
  const { steps, job, error } = useFirstSteps()
  return (
    <>
      {error && <Problem error={error} />}
      <Ladder label="First steps">
        {steps.map(({ title, state, note }) => (
          <Rung key={title} state={state} title={title}>
            {note !== undefined && <span>{note}</span>}
          </Rung>
        ))}
      </Ladder>
      {job?.endedAt !== undefined && (
        <p role="status">
          {job.status === 'COMPLETED' ? 'It answered' : 'It ended'} after {formatDuration(job.endedAt - job.submittedAt)}.{' '}
          <Link to="/jobs/$id" params={{ id: job.id }} search={keepRange}>
            See where the time went
          </Link>
        </p>
      )}
    </>
  )
}

function useFirstSteps() {
  const cache = useQueryClient()
  const session = useQuery(sessionQuery)
  const { data: endpoints = [], ...asked } = useQuery({ ...endpointsQuery, refetchInterval: LOOK_MS })
  const latest = useQuery(latestQuery)
  const job = latest.data?.jobs[0]
  const detail = useQuery(detailQuery(job?.id))
  const hear = useCallback(() => {
    void cache.invalidateQueries({ queryKey: ['jobs'] })
    void cache.invalidateQueries({ queryKey: ['job'] })
  }, [cache])
  useTopic(job && `job:${job.id}`, hear)
  const keyName = session.data?.name ?? ''
  return { steps: firstSteps({ keyName, endpoints, job, detail: detail.data }), job, error: asked.error ?? latest.error }
}
