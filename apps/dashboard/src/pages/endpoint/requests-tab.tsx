import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { API_URL } from '../../api/client.ts'
import { jobsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { CopyBlock } from '../../ui/copy.tsx'
import { Empty } from '../../ui/empty.tsx'
import { JobTable } from '../../ui/job-table.tsx'
import { Problem } from '../../ui/problem.tsx'
import { useEndpoint } from './endpoint-context.ts'
import { TryIt } from './try/try-it.tsx'
import styles from './workers-tab.module.css'

export function RequestsTab() {
  const { id, type } = useEndpoint()
  if (type === 'LOAD_BALANCER') return <HowToCall id={id} />
  return (
    <div className={styles.tab}>
      <section aria-labelledby="try">
        <h2 id="try">Try it</h2>
        <TryIt key={id} endpointId={id} />
      </section>
      <section aria-labelledby="latest">
        <h2 id="latest">Latest jobs</h2>
        <LatestJobs endpoint={id} />
      </section>
    </div>
  )
}

/** Its requests are no jobs, and bear a key that this page does not have. */
function HowToCall({ id }: { readonly id: string }) {
  return (
    <div className={styles.tab}>
      <h2>Call it</h2>
      <p>Requests go to the server in a worker as they come, whatever their method and path, and wait while none is there.</p>
      <CopyBlock label="A request" text={`curl -H "Authorization: Bearer $RUNPOD_API_KEY" ${API_URL}/lb/${id}/ping`} />
    </div>
  )
}

function LatestJobs({ endpoint }: { readonly endpoint: string }) {
  const { data, error, refetch } = useQuery(jobsQuery({ endpoint, limit: 20 }))
  if (error && data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  if (data === undefined) return null
  if (data.jobs.length === 0) return <Empty title="There is no job yet">Run one above.</Empty>
  return (
    <>
      <JobTable caption="Latest jobs" jobs={data.jobs} />
      <p>
        <Link to="/jobs" search={(search) => ({ ...keepRange(search), endpoint })}>
          All jobs of this endpoint
        </Link>
      </p>
    </>
  )
}
