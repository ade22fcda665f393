import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { endpointsQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { buttonClass } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { EndpointTable } from '../yard/endpoint-table.tsx'

export function EndpointsPage() {
  const { data, error, refetch } = useQuery(endpointsQuery)
  return (
    <Page
      title="Endpoints"
      actions={
        <Link to="/endpoints/new" search={keepRange} className={buttonClass}>
          New endpoint
        </Link>
      }
    >
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data && <EndpointTable endpoints={data} />}
    </Page>
  )
}
