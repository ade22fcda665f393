import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { EndpointView } from '@runyard/schema/api'
import { client } from '../../../api/client.ts'
import { endpointsQuery, healthQuery } from '../../../api/queries.ts'
import { keepRange } from '../../../app/range.ts'
import { Button } from '../../../ui/button.tsx'
import { Confirm } from '../../../ui/dialog.tsx'
import { formatCount, formatCounted } from '../../../ui/format.ts'
import styles from './settings.module.css'

export function DeleteEndpoint({ endpoint }: { readonly endpoint: EndpointView }) {
  const [isAsking, setAsking] = useState(false)
  return (
    <section aria-labelledby="delete" className={styles.delete}>
      <h2 id="delete">Delete</h2>
      <p>Jobs, results and workers of this endpoint go with it. To stop it and keep it, set its max workers to 0.</p>
      <div>
        <Button kind="danger" onClick={() => setAsking(true)}>
          Delete {endpoint.name}
        </Button>
      </div>
      {isAsking && <Ask endpoint={endpoint} onClose={() => setAsking(false)} />}
    </section>
  )
}

function Ask({ endpoint: { id, name }, onClose }: { readonly endpoint: EndpointView; readonly onClose: () => void }) {
  const cache = useQueryClient()
  const navigate = useNavigate()
  const { data: health } = useQuery(healthQuery(id))
  const remove = useMutation({
    mutationFn: () => client.deleteEndpoint(id),
    onSuccess: async () => {
      await navigate({ to: '/endpoints', search: keepRange, ignoreBlocker: true })
      await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
    },
  })
  return (
    <Confirm
      title={`Delete ${name}?`}
      verb="Delete"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {health && (
        <ul className={styles.lost}>
          <li>
            {formatCount(health.jobs.inQueue)} waiting and {formatCount(health.jobs.inProgress)} running jobs are cancelled.
          </li>
          <li>
            {formatCounted(health.workers.idle + health.workers.running + health.workers.initializing, 'worker is', 'workers are')} stopped.
          </li>
          <li>Results that were not fetched, batches, and the list of its jobs are lost. What it used stays in Usage.</li>
        </ul>
      )}
    </Confirm>
  )
}
