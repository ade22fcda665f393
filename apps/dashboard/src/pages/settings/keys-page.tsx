// API keys: who may do what, since when, until when, and when each was last used.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { KeyView, NewKeyView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { sessionQuery } from '../../api/session.ts'
import type { TableColumn } from '../../ui/data-table.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { shortId } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { MakeKey, ShowKey } from './key-dialogs.tsx'
import { ListSection, RowButton, useChange } from './list-section.tsx'
import { keysQuery } from '../../api/queries.ts'
import styles from './settings.module.css'

type Open =
  | { readonly kind: 'make' }
  | { readonly kind: 'rotate' | 'revoke'; readonly key: KeyView }
  | { readonly kind: 'made'; readonly key: NewKeyView }

export function KeysPage() {
  const session = useQuery(sessionQuery)
  const [open, setOpen] = useState<Open>()
  const owner = session.data?.ownerId ?? ''
  return (
    <ListSection
      title="API keys"
      intro={
        <>
          Keys of the owner <strong>{owner}</strong>. Only a hash of each is kept, so a key is shown once, when it is made.
        </>
      }
      reads="admin"
      query={keysQuery}
      columns={columnsOf({ ownId: session.data?.id, onOpen: setOpen })}
      keyOf={({ id }) => id}
      empty={{ title: 'There is no key', hint: <>Make one for each program, so that its use can be distinguished and ended.</> }}
      action={{ label: 'Make a key', onClick: () => setOpen({ kind: 'make' }) }}
    >
      {open && <KeyDialog open={open} onOpen={setOpen} />}
    </ListSection>
  )
}

function KeyDialog({ open, onOpen }: { readonly open: Open; readonly onOpen: (open: Open | undefined) => void }) {
  const close = (): void => onOpen(undefined)
  const show = (key: NewKeyView): void => onOpen({ kind: 'made', key })
  switch (open.kind) {
    case 'make':
      return <MakeKey onMade={show} onClose={close} />
    case 'rotate':
      return <RotateKey of={open.key} onMade={show} onClose={close} />
    case 'revoke':
      return <RevokeKey of={open.key} onClose={close} />
    case 'made':
      break
  }
  return <ShowKey made={open.key} onClose={close} />
}

interface ColumnOptions {
  readonly ownId: string | undefined
  readonly onOpen: (open: Open | undefined) => void
}

function columnsOf({ ownId, onOpen }: ColumnOptions): readonly TableColumn<KeyView>[] {
  const at = (time: string | null, never: string) => (time === null ? never : <Moment at={Date.parse(time)} />)
  return [
    {
      name: 'name',
      cell: ({ id, name }) => (
        <span className={styles.wrap}>
          {name} <code title={id}>{shortId(id)}</code>
          {id === ownId && <span className={styles.muted}> · this session</span>}
        </span>
      ),
    },
    { name: 'scopes', cell: ({ scopes }) => (scopes.length === 0 ? 'none' : scopes.join(', ')) },
    { name: 'limits', cell: ({ limits }) => limitsOf(limits) },
    { name: 'made', cell: ({ createdAt }) => at(createdAt, '') },
    { name: 'expires', cell: ({ expiresAt }) => at(expiresAt, 'never') },
    { name: 'last used', cell: ({ lastUsedAt }) => at(lastUsedAt, 'not yet') },
    { name: 'actions', cell: (key) => <KeyActions of={key} isOwn={key.id === ownId} onOpen={onOpen} /> },
  ]
}

function limitsOf({ workers, queuedJobs }: KeyView['limits']): string {
  const parts = [
    ...(workers == null ? [] : [`${workers} ${workers === 1 ? 'worker' : 'workers'}`]),
    ...(queuedJobs == null ? [] : [`${queuedJobs} queued ${queuedJobs === 1 ? 'job' : 'jobs'}`]),
  ]
  return parts.length === 0 ? '–' : parts.join(', ')
}

interface KeyActionsProps {
  readonly of: KeyView
  readonly isOwn: boolean
  readonly onOpen: (open: Open | undefined) => void
}

function KeyActions({ of: key, isOwn, onOpen }: KeyActionsProps) {
  if (key.ofFile) {
    return (
      <span className={styles.muted}>
        in a key file: <code>runyard keys rotate</code>
      </span>
    )
  }
  if (isOwn) return <span className={styles.muted}>sign in with another key to change this one</span>
  return (
    <span className={styles.actions}>
      <RowButton label="Rotate" about={`the key ${key.name}`} onClick={() => onOpen({ kind: 'rotate', key })} />
      <RowButton label="Revoke" about={`the key ${key.name}`} kind="danger" onClick={() => onOpen({ kind: 'revoke', key })} />
    </span>
  )
}

interface RotateProps {
  readonly of: KeyView
  readonly onMade: (made: NewKeyView) => void
  readonly onClose: () => void
}

function RotateKey({ of: key, onMade, onClose }: RotateProps) {
  const rotate = useChange(keysQuery.queryKey, () => client.keys.rotate(key.id))
  return (
    <Confirm
      title={`Rotate the key ${key.name}?`}
      verb="Rotate"
      isPending={rotate.isPending}
      error={rotate.error}
      onConfirm={() => rotate.mutate(undefined, { onSuccess: onMade })}
      onClose={onClose}
    >
      <p>The old key ends at once: what still uses it gets 401. The new one has the same scopes and limits.</p>
    </Confirm>
  )
}

function RevokeKey({ of: key, onClose }: Pick<RotateProps, 'of' | 'onClose'>) {
  const revoke = useChange(keysQuery.queryKey, () => client.keys.revoke(key.id))
  return (
    <Confirm
      title={`Revoke the key ${key.name}?`}
      verb="Revoke"
      isPending={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>It ends at once and for good, with the sessions that it began. Its endpoints and jobs stay.</p>
    </Confirm>
  )
}
