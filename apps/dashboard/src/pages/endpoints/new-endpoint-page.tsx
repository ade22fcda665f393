// Makes an endpoint: the fields, and beside them the command and the request that do the same.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { flushSync } from 'react-dom'
import { client } from '../../api/client.ts'
import { endpointsQuery, gpuTypesQuery, poolQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { ScopeNote } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { ChoiceField } from '../../ui/field.tsx'
import { Actions, Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { AskBeforeLeaving } from '../endpoint/settings/ask-before-leaving.tsx'
import { refusedFields } from '../endpoint/settings/endpoint-change.ts'
import { EndpointForm, SameCalls } from '../endpoint/settings/endpoint-form.tsx'
import type { FormField, Values } from '../endpoint/settings/form-field.ts'
import { offersOf } from '../endpoint/settings/match-cards.ts'
import { readDraft, sourcesOf, TYPES, type EndpointType, type Processors, type Source } from './new-endpoint.ts'
import styles from './new-endpoint-page.module.css'

const PROCESSORS = [
  { value: 'gpu', label: 'GPUs' },
  { value: 'cpu', label: 'CPUs only' },
] as const satisfies readonly { readonly value: Processors; readonly label: string }[]

export function NewEndpointPage() {
  const form = useDraft()
  const { draft, type, source, processors } = form
  const { create, refused } = useCreation(draft)
  const faults = new Map([...form.faults, ...refused])
  return (
    <Page title="New endpoint">
      <ScopeNote needed="admin" />
      <div className={styles.columns}>
        <EndpointForm
          lead={
            <>
              <ChoiceField label="Endpoint type" options={TYPES} value={type} onChange={form.setType} />
              <ChoiceField label="Worker image" options={sourcesOf(type)} value={source} onChange={form.setSource} />
              <ChoiceField label="Run on" options={PROCESSORS} value={processors} onChange={form.setProcessors} />
            </>
          }
          fields={draft.fields}
          values={draft.values}
          faults={faults}
          isChanged={form.isWritten}
          onChange={(name, text) => {
            create.reset()
            form.write(name, text)
          }}
          onSubmit={() => form.isWhole() && create.mutate()}
        >
          {create.error && refused.size === 0 && <Problem error={create.error} />}
          <Actions>
            <Button type="submit" kind="primary" disabled={create.isPending}>
              Make the endpoint
            </Button>
            <span role="status">{faults.size > 0 && 'Something cannot be made as it is.'}</span>
          </Actions>
          <AskBeforeLeaving hasChanges={form.hasWritten} />
        </EndpointForm>
        <aside className={styles.same} aria-labelledby="same">
          <h2 id="same">As a command or a request</h2>
          <SameCalls command={draft.command} body={draft.body} />
        </aside>
      </div>
    </Page>
  )
}

/** What was filled in so far. */
function useDraft() {
  const [type, setType] = useState<EndpointType>('QUEUE')
  const [chosen, setSource] = useState<Source>('own')
  const [processors, setProcessors] = useState<Processors>('gpu')
  const [written, setWritten] = useState<Values>({})
  const [isAsked, setAsked] = useState(false)
  const { names, pools } = useYard()
  const source = sourcesOf(type).some(({ value }) => value === chosen) ? chosen : 'image'
  const draft = readDraft({ type, source, processors, written, pools }, names)
  return {
    draft,
    type,
    setType,
    source,
    setSource,
    processors,
    setProcessors,
    // A name that is still to be typed is no fault until the form is sent.
    faults: [...draft.faults].filter(([name]) => isAsked || written[name] !== undefined),
    isWritten: ({ name }: FormField) => written[name] !== undefined,
    hasWritten: Object.keys(written).length > 0,
    write: (name: string, text: string) => setWritten((now) => ({ ...now, [name]: text })),
    /** From here on, what is missing is shown; the first of it gets the focus. */
    isWhole(): boolean {
      flushSync(() => setAsked(true))
      if (draft.faults.size === 0) return true
      document.querySelector<HTMLElement>('form [aria-invalid="true"]')?.focus()
      return false
    },
  }
}

/** The names that are taken, and the pools of the cards that there are. */
function useYard() {
  const { data: endpoints = [] } = useQuery(endpointsQuery)
  const { data: pool } = useQuery(poolQuery)
  const { data: types } = useQuery(gpuTypesQuery)
  const offers = pool === undefined || types === undefined ? [] : offersOf(pool, types)
  return { names: endpoints.map(({ name }) => name), pools: offers.map(({ token }) => token) }
}

function useCreation({ body, fields }: ReturnType<typeof readDraft>) {
  const cache = useQueryClient()
  const navigate = useNavigate()
  const create = useMutation({
    // Without that, an endpoint of this name which somebody has made meanwhile would be changed.
    mutationFn: () => client.createEndpoint(body, { isNew: true }),
    onSuccess: async ({ id }) => {
      await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
      await navigate({ to: '/endpoints/$id', params: { id }, search: keepRange, ignoreBlocker: true })
    },
  })
  return { create, refused: refusedFields(fields, create.error) }
}
