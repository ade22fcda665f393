// Credentials of image registries: they go in and never come out.
import { useState } from 'react'
import type { RegistryView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import type { TableColumn } from '../../ui/data-table.tsx'
import { Confirm, Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { Problem } from '../../ui/problem.tsx'
import { ListSection, RowButton, useChange } from './list-section.tsx'
import { registriesQuery } from '../../api/queries.ts'
import styles from './settings.module.css'

/** `of` undefined: new ones. */
type Open = { readonly kind: 'save'; readonly of?: RegistryView } | { readonly kind: 'delete'; readonly of: RegistryView }

export function RegistriesPage() {
  const [open, setOpen] = useState<Open>()
  const close = (): void => setOpen(undefined)
  return (
    <ListSection
      title="Registries"
      intro="Credentials with which hosts pull private images. An endpoint refers to one by its id. User and password are never shown."
      reads="view"
      query={registriesQuery}
      columns={columnsOf(setOpen)}
      keyOf={({ id }) => id}
      empty={{
        title: 'There are no registry credentials',
        hint: <>Public images need none. Add the user and token of your registry for private ones.</>,
      }}
      action={{ label: 'Add credentials', onClick: () => setOpen({ kind: 'save' }) }}
    >
      {open?.kind === 'save' && <SaveRegistry {...open} onClose={close} />}
      {open?.kind === 'delete' && <DeleteRegistry of={open.of} onClose={close} />}
    </ListSection>
  )
}

function columnsOf(onOpen: (open: Open) => void): readonly TableColumn<RegistryView>[] {
  return [
    { name: 'name', cell: ({ name }) => <span className={styles.wrap}>{name}</span> },
    { name: 'id', cell: ({ id }) => <code>{id}</code> },
    {
      name: 'actions',
      cell: (of) => (
        <span className={styles.actions}>
          <RowButton label="Replace" about={`the credentials ${of.name}`} onClick={() => onOpen({ kind: 'save', of })} />
          <RowButton label="Delete" about={`the credentials ${of.name}`} kind="danger" onClick={() => onOpen({ kind: 'delete', of })} />
        </span>
      ),
    },
  ]
}

function SaveRegistry({ of, onClose }: { readonly of?: RegistryView; readonly onClose: () => void }) {
  const [name, setName] = useState('')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const save = useChange(registriesQuery.queryKey, () =>
    of === undefined
      ? client.registries.add({ name: name.trim(), username, password })
      : client.registries.replace(of.id, { username, password }),
  )
  return (
    <Dialog title={of === undefined ? 'Add registry credentials' : `Other credentials for ${of.name}`} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        {of === undefined && <Field label="Name" help="For example ghcr" required value={name} onChange={setName} />}
        <Field label="User" required value={username} onChange={setUsername} />
        <Field label="Password or token" type="password" autoComplete="new-password" required value={password} onChange={setPassword} />
        {save.error && <Problem error={save.error} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={save.isPending}>
            Save
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  )
}

function DeleteRegistry({ of, onClose }: { readonly of: RegistryView; readonly onClose: () => void }) {
  const remove = useChange(registriesQuery.queryKey, () => client.registries.delete(of.id))
  return (
    <Confirm
      title={`Delete the credentials ${of.name}?`}
      verb="Delete"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Hosts can pull no further private image with them.</p>
    </Confirm>
  )
}
