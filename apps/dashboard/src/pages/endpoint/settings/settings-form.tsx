// The form of an endpoint's settings. Before anything is saved it says what would change, what that does to workers, and how to do the same elsewhere.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { EndpointView } from '@runyard/schema/api'
import { API_URL, client } from '../../../api/client.ts'
import { endpointsQuery, healthQuery } from '../../../api/queries.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyBlock } from '../../../ui/copy.tsx'
import { Dialog, DialogActions } from '../../../ui/dialog.tsx'
import { Problem } from '../../../ui/problem.tsx'
import { changeOf, describeEffect, faultsOf, fieldsOf, toCurl, valuesOf, type EndpointChange } from './endpoint-change.ts'
import type { FormField, Values } from './form-fields.ts'
import { AskBeforeLeaving } from './ask-before-leaving.tsx'
import { SettingsField } from './settings-field.tsx'
import styles from './settings.module.css'

const GROUPS = ['Scaling', 'GPUs', 'Container'] as const satisfies readonly FormField['group'][]

export function SettingsForm({ endpoint }: { readonly endpoint: EndpointView }) {
  // What was changed here; the rest follows the endpoint, which others may change meanwhile.
  const [written, setWritten] = useState<Values>({})
  const [isSaving, setSaving] = useState(false)
  const values = { ...valuesOf(endpoint), ...written }
  const faults = faultsOf(endpoint, values)
  const change = changeOf(endpoint, values)
  const fields = fieldsOf(endpoint)
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        setSaving(true)
      }}
    >
      {GROUPS.filter((group) => fields.some((field) => field.group === group)).map((group) => (
        <fieldset key={group} className={styles.group}>
          <legend>{group}</legend>
          {fields
            .filter((field) => field.group === group)
            .map((field) => (
              <SettingsField
                key={field.name}
                field={field}
                value={values[field.name] ?? ''}
                fault={faults.get(field.name)}
                isChanged={change.changes.some((one) => one.field === field)}
                onChange={(text) => setWritten((now) => ({ ...now, [field.name]: text }))}
              />
            ))}
        </fieldset>
      ))}
      <div className={styles.actions}>
        <Button type="submit" kind="primary" disabled={faults.size > 0 || change.changes.length === 0}>
          Review and save
        </Button>
        {change.changes.length > 0 && <Button onClick={() => setWritten({})}>Take back</Button>}
        <span role="status" className={styles.muted}>
          {faults.size > 0 ? 'Something cannot be saved as it is.' : describeCount(change)}
        </span>
      </div>
      <AskBeforeLeaving hasChanges={change.changes.length > 0} />
      {isSaving && <Review endpoint={endpoint} change={change} onClose={() => setSaving(false)} onSaved={() => setWritten({})} />}
    </form>
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
}

function Review({ endpoint: { id, name }, change, onClose, onSaved }: ReviewProps) {
  const cache = useQueryClient()
  const { data: health } = useQuery(healthQuery(id))
  const save = useMutation({
    mutationFn: () => client.updateEndpoint(id, change.body),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
      onSaved()
      onClose()
    },
  })
  return (
    <Dialog title={`Save ${name}?`} onClose={onClose}>
      <Diff change={change} />
      <p>{describeEffect(change, health)}</p>
      <details>
        <summary>The same by command line or REST</summary>
        {change.command !== undefined && <CopyBlock text={change.command} label="Command line" />}
        <CopyBlock text={toCurl(API_URL, id, change.body)} label="Request" />
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
