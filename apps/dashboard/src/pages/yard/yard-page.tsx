// Is it healthy? One sentence of state, what needs a person, what the cards did, then the endpoints.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef } from 'react'
import type { PoolView } from '@runyard/schema/api'
import { useEndpointLoads } from '../../api/endpoint-loads.ts'
import { endpointsQuery, noticesQuery, poolQuery, shapeOf } from '../../api/queries.ts'
import { useLiveState, useTopic } from '../../api/live.ts'
import { Problem } from '../../ui/problem.tsx'
import { useWidth } from '../../timeline/use-width.ts'
import { EndpointTable } from './endpoint-table.tsx'
import { GpuPreview } from './gpu-preview.tsx'
import { NoticeList } from './notice-list.tsx'
import { describePool, troublesOf } from './describe-pool.ts'
import styles from './yard-page.module.css'

export function YardPage() {
  const cache = useQueryClient()
  const [ref, width] = useWidth()
  const shape = useRef<string>(undefined)
  const hear = useCallback(
    (value: unknown) => {
      if (value === undefined) return
      cache.setQueryData(poolQuery.queryKey, value as PoolView)
      const now = shapeOf(value as PoolView)
      if (shape.current !== undefined && shape.current !== now) void cache.invalidateQueries({ queryKey: noticesQuery.queryKey })
      shape.current = now
    },
    [cache],
  )
  useTopic('pool', hear)
  const isAway = useLiveState() === 'away'
  useEffect(() => {
    if (!isAway) return undefined
    const askAgain = () => void cache.refetchQueries({ type: 'active' })
    askAgain()
    return askAgain
  }, [isAway, cache])
  // The stream says what changes of pool and endpoints, and when to ask why nothing comes.
  const pool = useQuery({ ...poolQuery, refetchInterval: false })
  const endpoints = useQuery({ ...endpointsQuery, refetchInterval: false })
  const notices = useQuery(noticesQuery)
  const loads = [...useEndpointLoads().values()]
  const troubles = troublesOf(notices.data ?? [], loads)
  const error = pool.error ?? notices.error ?? endpoints.error
  return (
    <div className={styles.page} ref={ref}>
      <div>
        <h1>Yard</h1>
        {pool.data && notices.data && !isAway && error === null && (
          <p className={styles.sentence}>{describePool(pool.data, troubles, loads)}</p>
        )}
      </div>
      {error && <Problem error={error} onRetry={() => void cache.refetchQueries({ type: 'active' })} />}
      <NoticeList troubles={troubles} />
      <GpuPreview width={width} />
      {endpoints.data && (
        <section aria-labelledby="endpoints">
          <h2 id="endpoints">Endpoints</h2>
          <EndpointTable endpoints={endpoints.data} />
        </section>
      )}
    </div>
  )
}
