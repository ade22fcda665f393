// Volumes: where their data is, and who uses them.
import { useState } from 'react'
import type { VolumeView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import type { TableColumn } from '../../ui/data-table.tsx'
import { Confirm, Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { ListSection, RowButton, useChange } from './list-section.tsx'
import { volumesQuery } from '../../api/queries.ts'
import styles from './settings.module.css'

const USUAL_GB = '100'

export function VolumesPage() {
  const [isMaking, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<VolumeView>()
  return (
    <ListSection
      title="Volumes"
      intro="Directories that outlive workers. A volume lives on the host that first used it, and its workers follow it there."
      reads="view"
      query={volumesQuery}
      columns={columnsOf(setDoomed)}
      keyOf={({ id }) => id}
      empty={{
        title: 'There is no volume',
        hint: <>Make one for models and data that many workers share, and attach it to an endpoint.</>,
      }}
      action={{ label: 'Make a volume', onClick: () => setMaking(true) }}
    >
      {isMaking && <MakeVolume onClose={() => setMaking(false)} />}
      {doomed && <DeleteVolume of={doomed} onClose={() => setDoomed(undefined)} />}
    </ListSection>
  )
}

function columnsOf(onDelete: (volume: VolumeView) => void): readonly TableColumn<VolumeView>[] {
  return [
    { name: 'name', cell: ({ name }) => <span className={styles.wrap}>{name}</span> },
    { name: 'id', cell: ({ id }) => <code>{id}</code> },
    { name: 'kind', cell: ({ kind }) => kind.toLowerCase() },
    { name: 'size', isNumber: true, cell: ({ size }) => (size === null ? '–' : `${size} GB`) },
    { name: 'place', cell: ({ place }) => place ?? 'not used yet' },
    { name: 'used by', cell: ({ endpoints }) => (endpoints.length === 0 ? '–' : endpoints.map(({ name }) => name).join(', ')) },
    { name: 'made', cell: ({ createdAt }) => <Moment at={Date.parse(createdAt)} /> },
    {
      name: 'actions',
      cell: (volume) => (
        <RowButton
          label="Delete"
          about={`the volume ${volume.name}`}
          kind="danger"
          disabled={volume.endpoints.length > 0}
          title={volume.endpoints.length > 0 ? 'Endpoints use it.' : undefined}
          onClick={() => onDelete(volume)}
        />
      ),
    },
  ]
}

function MakeVolume({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('')
  const [size, setSize] = useState(USUAL_GB)
  const make = useChange(volumesQuery.queryKey, () => client.volumes.create({ name: name.trim(), size: Number(size) }))
  return (
    <Dialog title="Make a network volume" onClose={onClose}>
      <Form onSubmit={() => make.mutate(undefined, { onSuccess: onClose })}>
        <Field label="Name" required value={name} onChange={setName} />
        <Field
          label="Size in GB"
          help="A promise of yours: it is not enforced"
          type="number"
          min={1}
          max={4096}
          required
          value={size}
          onChange={setSize}
        />
        {make.error && <Problem error={make.error} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={make.isPending}>
            Make the volume
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  )
}

function DeleteVolume({ of, onClose }: { readonly of: VolumeView; readonly onClose: () => void }) {
  const remove = useChange(volumesQuery.queryKey, () => client.volumes.delete(of))
  return (
    <Confirm
      title={`Delete the volume ${of.name}?`}
      verb="Delete"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Its data goes with it and cannot be brought back.</p>
    </Confirm>
  )
}
