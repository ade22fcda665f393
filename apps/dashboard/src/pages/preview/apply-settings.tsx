import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ScalingSettings } from '@runyard/core/preview'
import type { EndpointView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { endpointsQuery } from '../../api/queries.ts'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { keepRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { Problem } from '../../ui/problem.tsx'
import { toChange } from './settings-search.ts'
import styles from './preview.module.css'

interface ApplySettingsProps {
  readonly endpoint: EndpointView
  readonly current: ScalingSettings
  readonly tried: ScalingSettings
}

/** These settings apply in place: no worker is replaced. */
export function ApplySettings({ endpoint: { id, name }, current, tried }: ApplySettingsProps) {
  const cache = useQueryClient()
  const navigate = useNavigate()
  const refused = useRefusal('admin')
  const apply = useMutation({
    mutationFn: () => client.updateEndpoint(id, toChange(tried)),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
      await navigate({ to: '/endpoints/$id/preview', params: { id }, search: keepRange, replace: true })
    },
  })
  const isSame = JSON.stringify(current) === JSON.stringify(tried)
  return (
    <section className={styles.apply} aria-label="Apply">
      <ScopeNote needed="admin" />
      {apply.error && <Problem error={apply.error} />}
      <Button kind="primary" disabled={isSame || refused !== undefined || apply.isPending} onClick={() => apply.mutate()}>
        Use these settings for {name}
      </Button>
      <span className={styles.intro}>They apply in place; no worker is replaced.</span>
    </section>
  )
}
