// Secrets: values go in and never come out.
import { useState } from 'react'
import type { SecretView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import type { TableColumn } from '../../ui/data-table.tsx'
import { Confirm, Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { ListSection, RowButton, useChange } from './list-section.tsx'
import { secretsQuery } from './settings-queries.ts'
import styles from './settings.module.css'

type Open =
  | { readonly kind: 'set'; readonly name: string; readonly description: string }
  | { readonly kind: 'delete'; readonly name: string }

export function SecretsPage() {
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  return (
    <ListSection
      title="Secrets"
      intro={
        <>
          An environment variable names one as <code>{'{{ RUNPOD_SECRET_name }}'}</code>; a worker gets its value when it starts. No page
          and no answer shows a value.
        </>
      }
      reads="view"
      query={secretsQuery}
      columns={columnsOf(setOpen)}
      keyOf={({ id }) => id}
      empty={{ title: 'There is no secret', hint: <>Set one for each token that workers need, such as that of a model hub.</> }}
      action={{ label: 'Set a secret', onClick: () => setOpen({ kind: 'set', name: '', description: '' }) }}
    >
      {open?.kind === 'set' && <SetSecret {...open} onClose={close} />}
      {open?.kind === 'delete' && <DeleteSecret name={open.name} onClose={close} />}
    </ListSection>
  )
}

function columnsOf(onOpen: (open: Open) => void): readonly TableColumn<SecretView>[] {
  return [
    { name: 'name', cell: ({ name }) => <code className={styles.wrap}>{name}</code> },
    { name: 'for', cell: ({ description }) => <span className={styles.wrap}>{description || '–'}</span> },
    { name: 'set', cell: ({ updatedAt }) => <Moment at={Date.parse(updatedAt)} /> },
    {
      name: 'actions',
      cell: ({ name, description }) => (
        <span className={styles.actions}>
          <RowButton label="Set" about={`another value of ${name}`} onClick={() => onOpen({ kind: 'set', name, description })} />
          <RowButton label="Delete" about={`the secret ${name}`} kind="danger" onClick={() => onOpen({ kind: 'delete', name })} />
        </span>
      ),
    },
  ]
}

interface SetSecretProps {
  /** Empty: a new one. */
  readonly name: string
  readonly description: string
  readonly onClose: () => void
}

function SetSecret({ name: known, description: before, onClose }: SetSecretProps) {
  const [name, setName] = useState(known)
  const [value, setValue] = useState('')
  const [description, setDescription] = useState(before)
  const save = useChange(secretsQuery.queryKey, () => client.secrets.set(name.trim(), { value, description }))
  return (
    <Dialog title={known === '' ? 'Set a secret' : `Another value for ${known}`} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        {known === '' && <Field label="Name" help="Letters, digits and _" required value={name} onChange={setName} />}
        <Field label="Value" type="password" autoComplete="new-password" required value={value} onChange={setValue} />
        <Field label="What it is for" value={description} onChange={setDescription} />
        {save.error && <Problem error={save.error} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={save.isPending}>
            Set
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  )
}

function DeleteSecret({ name, onClose }: Pick<SetSecretProps, 'name' | 'onClose'>) {
  const remove = useChange(secretsQuery.queryKey, () => client.secrets.delete(name))
  return (
    <Confirm
      title={`Delete the secret ${name}?`}
      verb="Delete"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Workers that run keep its value; an endpoint that names it can start no further one.</p>
    </Confirm>
  )
}
