// The releases of an endpoint: what each changed, how far the latest is rolled out, and the way back.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReleaseView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { releasesQuery } from '../../api/endpoint-queries.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { formatCounted } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { useEndpoint } from './endpoint-context.ts'
import styles from './releases-tab.module.css'

export function ReleasesTab() {
  const { id } = useEndpoint()
  const { data, error, refetch } = useQuery(releasesQuery(id))
  const [back, setBack] = useState<number>()
  if (error && data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  if (data === undefined) return null
  const { releases, rollout } = data
  return (
    <div className={styles.tab}>
      <p>
        {rollout.workersTotal === 0 && 'No worker is there: the next one runs the latest release.'}
        {rollout.workersTotal > 0 && (
          <>
            <progress className={styles.progress} max={100} value={rollout.percentOnLatest} aria-label="Workers on the latest release" />{' '}
            {rollout.workersOnLatest} of {formatCounted(rollout.workersTotal, 'worker')} {rollout.workersOnLatest === 1 ? 'runs' : 'run'}{' '}
            the latest release
            {rollout.inProgress ? '; the others are being replaced.' : '.'}
          </>
        )}
      </p>
      <ol className={styles.list}>
        {releases.map((release, index) => (
          <Release key={release.id} release={release} isLatest={index === 0} onBack={() => setBack(release.version)} />
        ))}
      </ol>
      {back !== undefined && <RollBack version={back} onClose={() => setBack(undefined)} />}
    </div>
  )
}

interface ReleaseProps {
  readonly release: ReleaseView
  readonly isLatest: boolean
  readonly onBack: () => void
}

function Release({ release: { version, createdAt, image, digest, workerCount, diff }, isLatest, onBack }: ReleaseProps) {
  return (
    <li className={styles.release}>
      <div className={styles.head}>
        <h2>
          Release {version} {isLatest && <span className={styles.latest}>Latest</span>}
        </h2>
        <span>
          <Moment at={Date.parse(createdAt)} />, {workerCount} {workerCount === 1 ? 'worker' : 'workers'}
        </span>
        {!isLatest && <Button onClick={onBack}>Roll back to {version}</Button>}
      </div>
      <p className={styles.image}>
        <code>{image}</code>
        {digest !== null && <code> {digest}</code>}
      </p>
      {diff.length > 0 && (
        <dl className={styles.diff}>
          {diff.map(({ field, old, new: next }) => (
            <div key={field}>
              <dt>{field}</dt>
              <dd>
                <del>{show(old)}</del> → <ins>{show(next)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function RollBack({ version, onClose }: { readonly version: number; readonly onClose: () => void }) {
  const { id, name } = useEndpoint()
  const cache = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => client.rollBack(id, version),
    onSuccess: async () => {
      await cache.invalidateQueries()
      onClose()
    },
  })
  return (
    <Confirm
      title={`Roll ${name} back to release ${version}?`}
      verb="Roll back"
      isPending={isPending}
      error={error}
      onConfirm={() => mutate()}
      onClose={onClose}
    >
      <p>
        Release {version} is saved again as a new one. Idle workers are replaced, and busy ones end their jobs first. Scaling settings stay
        as they are.
      </p>
    </Confirm>
  )
}
