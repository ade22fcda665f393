// The form of an endpoint's settings. Before anything is saved it says what would change, what that does to workers, and how to do the same elsewhere.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { EndpointView } from '@runyard/schema/api'
import { client } from '../../../api/client.ts'
import { endpointsQuery, healthQuery } from '../../../api/queries.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog, DialogActions } from '../../../ui/dialog.tsx'
import { Actions } from '../../../ui/page.tsx'
import { Problem } from '../../../ui/problem.tsx'
import { changeOf, describeEffect, faultsOf, fieldsOf, refusedFields, valuesOf, type EndpointChange } from './endpoint-change.ts'
import { EndpointForm, SameCalls } from './endpoint-form.tsx'
import type { FormField, Values } from './form-field.ts'
import { AskBeforeLeaving } from './ask-before-leaving.tsx'
import styles from './settings.module.css'

export function SettingsForm({ endpoint }: { readonly endpoint: EndpointView }) {
  // What was changed here; the rest follows the endpoint, which others may change meanwhile.
  const [written, setWritten] = useState<Values>({})
  const [isSaving, setSaving] = useState(false)
  const [refused, setRefused] = useState<ReadonlyMap<string, string>>(new Map())
  const fields = fieldsOf(endpoint)
  const values = { ...valuesOf(endpoint), ...written }
  const faults = faultsOf(fields, values)
  const change = changeOf(endpoint, values)
  return (
    <EndpointForm
      fields={fields}
      values={values}
      faults={new Map([...faults, ...refused])}
      isChanged={(field) => change.changes.some((one) => one.field === field)}
      onChange={(name, text) => {
        setRefused(new Map())
        setWritten((now) => ({ ...now, [name]: text }))
      }}
      onSubmit={() => setSaving(true)}
    >
      <Actions>
        <Button type="submit" kind="primary" disabled={faults.size > 0 || change.changes.length === 0}>
          Review and save
        </Button>
        {change.changes.length > 0 && <Button onClick={() => setWritten({})}>Take back</Button>}
        <span role="status" className={styles.muted}>
          {faults.size > 0 ? 'Something cannot be saved as it is.' : describeCount(change)}
        </span>
      </Actions>
      <AskBeforeLeaving hasChanges={change.changes.length > 0} />
      {isSaving && (
        <Review
          endpoint={endpoint}
          change={change}
          onClose={() => setSaving(false)}
          onSaved={() => setWritten({})}
          onRefused={(error) => {
            const sentences = refusedFields(fields, error)
            setRefused(sentences)
            if (sentences.size > 0) setSaving(false)
          }}
        />
      )}
    </EndpointForm>
  )
}

function describeCount({ changes }: EndpointChange): string {
  return changes.length === 0 ? 'Nothing is changed.' : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}.`
}

interface ReviewProps {
  readonly endpoint: EndpointView
  readonly change: EndpointChange
  readonly onClose: () => void
  readonly onSaved: () => void
  readonly onRefused: (error: Error) => void
}

function Review({ endpoint: { id, name }, change, onClose, onSaved, onRefused }: ReviewProps) {
  const cache = useQueryClient()
  const { data: health } = useQuery(healthQuery(id))
  const save = useMutation({
    mutationFn: () => client.updateEndpoint(id, change.body),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
      onSaved()
      onClose()
    },
    onError: onRefused,
  })
  return (
    <Dialog title={`Save ${name}?`} onClose={onClose}>
      <Diff change={change} />
      <p>{describeEffect(change, health)}</p>
      <details>
        <summary>The same by command line or REST</summary>
        <SameCalls command={change.command} body={change.body} endpointId={id} />
      </details>
      {save.error && <Problem error={save.error} />}
      <DialogActions>
        <Button onClick={onClose}>Go on editing</Button>
        <Button kind="primary" disabled={save.isPending} onClick={() => save.mutate()}>
          Save
        </Button>
      </DialogActions>
    </Dialog>
  )
}

function Diff({ change: { changes } }: { readonly change: EndpointChange }) {
  const [isShown, setShown] = useState(false)
  const hasCover = changes.some(({ field, old, new: next }) =>
    [old, next].some((text) => field.cover !== undefined && field.cover(text) !== text),
  )
  const show = ({ cover }: FormField, text: string): string => (text === '' ? 'nothing' : isShown ? text : (cover?.(text) ?? text))
  return (
    <>
      <dl className={styles.diff}>
        {changes.map(({ field, old, new: next }) => (
          <div key={field.name}>
            <dt>{field.label}</dt>
            <dd>
              <del>{show(field, old)}</del> → <ins>{show(field, next)}</ins>
            </dd>
          </div>
        ))}
      </dl>
      {hasCover && !isShown && (
        <div className={styles.cover}>
          <Button onClick={() => setShown(true)}>Show values</Button>
          <span className={styles.muted}>Values that are called like secrets are covered.</span>
        </div>
      )}
    </>
  )
}
