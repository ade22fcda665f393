import { useQuery } from '@tanstack/react-query'
import { API_URL } from '../../api/client.ts'
import { livenessQuery } from '../../api/queries.ts'
import { sessionQuery } from '../../api/session.ts'
import { Part } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status } from '../../ui/status.tsx'
import styles from './settings.module.css'

/** Which Runyard this is, and where its API is described. */
export function AboutPage() {
  const { data, error } = useQuery(livenessQuery)
  const session = useQuery(sessionQuery)
  return (
    <Part id="about" title="About">
      {error && <Problem error={error} />}
      <dl className={styles.facts}>
        <dt>Version</dt>
        <dd>{data?.version ?? '…'}</dd>
        <dt>Gateway</dt>
        <dd>{API_URL}</dd>
        <dt>Redis</dt>
        <dd>{data && <Status kind={data.redis === 'up' ? 'running' : 'trouble'} word={data.redis} />}</dd>
        <dt>This session</dt>
        <dd>
          {session.data && (
            <>
              the key {session.data.name} of {session.data.ownerId}, scopes {session.data.scopes.join(', ')}
            </>
          )}
        </dd>
        <dt>API</dt>
        <dd>
          <a href={`${API_URL}/docs`}>Reference</a> · <a href={`${API_URL}/openapi.json`}>OpenAPI document</a>
        </dd>
        <dt>Metrics</dt>
        <dd>
          <a href={`${API_URL}/metrics`}>/metrics</a> for Prometheus
        </dd>
      </dl>
      <p className={styles.intro}>All that this page shows and does, it does by that API: what it can do, curl can do.</p>
    </Part>
  )
}
