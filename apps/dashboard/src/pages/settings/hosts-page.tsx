// Hosts: their cards, their health, and whether they get workers.
import { queryOptions } from '@tanstack/react-query'
import { useState } from 'react'
import type { PoolCard, PoolHost } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { poolQuery } from '../../api/queries.ts'
import { shortType } from '../../timeline/describe.ts'
import { Button } from '../../ui/button.tsx'
import type { TableColumn } from '../../ui/data-table.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { formatBytes } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Status, type StatusKind } from '../../ui/status.tsx'
import { ListSection, RowButton, useChange } from './list-section.tsx'
import styles from './settings.module.css'

const hostsQuery = queryOptions<readonly PoolHost[]>({
  queryKey: [...poolQuery.queryKey, 'hosts'],
  queryFn: async () => (await client.history.pool()).hosts,
  refetchInterval: 10_000,
})

export function HostsPage() {
  const [cordoned, setCordoned] = useState<PoolHost>()
  const uncordon = useChange(poolQuery.queryKey, (hostId: string) => client.hosts.uncordon(hostId))
  return (
    <ListSection
      title="Hosts"
      intro={
        <>
          The machines that workers run on. <code>runyard hosts add</code> and <code>remove</code> change the configuration.
        </>
      }
      reads="view"
      query={hostsQuery}
      columns={columnsOf({ onCordon: setCordoned, onUncordon: uncordon.mutate })}
      keyOf={({ id }) => id}
      empty={{
        title: 'No host was seen yet',
        hint: <>The scaler reports each host that it reaches. Is it running? runyard doctor says.</>,
      }}
    >
      {uncordon.error && <Problem error={uncordon.error} />}
      {cordoned && <CordonHost of={cordoned} onClose={() => setCordoned(undefined)} />}
    </ListSection>
  )
}

interface ColumnOptions {
  readonly onCordon: (host: PoolHost) => void
  readonly onUncordon: (hostId: string) => void
}

function columnsOf({ onCordon, onUncordon }: ColumnOptions): readonly TableColumn<PoolHost>[] {
  return [
    { name: 'host', cell: ({ label }) => <span className={styles.wrap}>{label}</span> },
    { name: 'kind', cell: ({ kind }) => kind },
    { name: 'state', cell: (host) => <HostState of={host} /> },
    { name: 'cards', cell: ({ gpus }) => <Cards gpus={gpus} /> },
    { name: 'machine', cell: ({ cpus, memoryBytes }) => (cpus === undefined ? '–' : `${cpus} CPUs, ${formatBytes(memoryBytes ?? 0)}`) },
    { name: 'seen', cell: ({ seenAt }) => <Moment at={seenAt} /> },
    {
      name: 'actions',
      cell: (host) =>
        host.cordon === undefined ? (
          <RowButton label="Cordon" about={`the host ${host.label}`} onClick={() => onCordon(host)} />
        ) : (
          <RowButton label="Uncordon" about={`the host ${host.label}`} onClick={() => onUncordon(host.id)} />
        ),
    },
  ]
}

const KINDS: Readonly<Record<PoolHost['health'], StatusKind>> = { ready: 'running', unready: 'starting', unreachable: 'trouble' }

/** With each reason why it does not get every worker. */
function HostState({ of: { health, problem, cordon, rest, lowDisk } }: { readonly of: PoolHost }) {
  const reasons = [
    ...(cordon === undefined ? [] : [`${cordon.drain === true ? 'drained' : 'cordoned'}: ${cordon.reason}`]),
    ...[problem, rest?.message, lowDisk].filter((reason) => reason !== undefined),
  ]
  return (
    <span className={styles.setting}>
      {cordon === undefined ? <Status kind={KINDS[health]} word={health} /> : <Status kind="ended" word="cordoned" />}
      {reasons.map((reason) => (
        <small key={reason}>{reason}</small>
      ))}
    </span>
  )
}

function Cards({ gpus }: { readonly gpus: readonly PoolCard[] }) {
  if (gpus.length === 0) return 'none'
  return (
    <span className={styles.setting}>
      {gpus.map((card) => (
        <span key={card.uuid}>
          {card.index} · {shortType(card.name)} <small>{stateOf(card)}</small>
        </span>
      ))}
    </span>
  )
}

function stateOf({ memoryBytes, simulated, healthy, fault, reserved, outOfUse, holders }: PoolCard): string {
  const words = [
    formatBytes(memoryBytes),
    ...(simulated ? ['simulated'] : []),
    ...(reserved === true ? ['reserved'] : []),
    ...(outOfUse === undefined ? [] : [outOfUse.kind]),
    ...(healthy ? [] : [fault ?? 'unhealthy']),
    holders.length === 0 ? 'free' : `held by ${holders.map(({ endpoint }) => endpoint?.name ?? 'others').join(', ')}`,
  ]
  return words.join(', ')
}

function CordonHost({ of: { id, label }, onClose }: { readonly of: PoolHost; readonly onClose: () => void }) {
  const [reason, setReason] = useState('')
  const [drain, setDrain] = useState(false)
  const cordon = useChange(poolQuery.queryKey, () => client.hosts.cordon(id, { reason, drain }))
  return (
    <Dialog title={`Cordon the host ${label}`} onClose={onClose}>
      <p>It gets no new workers until it is uncordoned, also after a restart.</p>
      <Form onSubmit={() => cordon.mutate(undefined, { onSuccess: onClose })}>
        <Field label="Why" help="Shown wherever somebody asks why nothing starts there" required value={reason} onChange={setReason} />
        <label>
          <input type="checkbox" checked={drain} onChange={({ target }) => setDrain(target.checked)} /> Drain it, too: idle workers leave
          now, busy ones after their jobs
        </label>
        {cordon.error && <Problem error={cordon.error} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={cordon.isPending}>
            Cordon
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  )
}
