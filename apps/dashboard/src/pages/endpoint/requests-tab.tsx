import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { jobsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { Empty } from '../../ui/empty.tsx'
import { JobTable } from '../../ui/job-table.tsx'
import { Problem } from '../../ui/problem.tsx'
import { useEndpoint } from './endpoint-context.ts'
import { TryIt } from './try/try-it.tsx'
import styles from './workers-tab.module.css'

export function RequestsTab() {
  const { id } = useEndpoint()
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
