import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { client } from '../../api/client.ts'
import { poolQuery } from '../../api/queries.ts'
import { useIsOperator, useRefusal } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'

/** Beside a host that refuses because it is cordoned. Nothing for keys of other owners: the cordon is none of theirs. */
export function UncordonHost({ id, name }: { readonly id: string; readonly name: string }) {
  const [isAsked, ask] = useState(false)
  const refusal = useRefusal('admin')
  const cache = useQueryClient()
  const uncordon = useMutation({
    mutationFn: () => client.hosts.uncordon(id),
    onSuccess: async () => {
      await Promise.all([['explain'], poolQuery.queryKey].map((queryKey) => cache.invalidateQueries({ queryKey })))
      ask(false)
    },
  })
  if (!useIsOperator()) return null
  return (
    <>
      {' '}
      <Button disabled={refusal !== undefined} title={refusal} onClick={() => ask(true)}>
        Uncordon<span className="visually-hidden"> the host {name}</span>
      </Button>
      {isAsked && (
        <Confirm
          title={`Uncordon the host ${name}?`}
          verb="Uncordon"
          isPending={uncordon.isPending}
          error={uncordon.error}
          onConfirm={() => uncordon.mutate()}
          onClose={() => ask(false)}
        >
          <p>Workers of every endpoint may start on it again.</p>
        </Confirm>
      )}
    </>
  )
}
