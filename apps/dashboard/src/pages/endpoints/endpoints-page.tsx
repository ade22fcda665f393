import { useQuery } from '@tanstack/react-query'
import { endpointsQuery } from '../../api/queries.ts'
import { Problem } from '../../ui/problem.tsx'
import { EndpointTable } from '../yard/endpoint-table.tsx'
import styles from './endpoints-page.module.css'

export function EndpointsPage() {
  const { data, error, refetch } = useQuery(endpointsQuery)
  return (
    <div className={styles.page}>
      <h1>Endpoints</h1>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data && <EndpointTable endpoints={data} />}
    </div>
  )
}
