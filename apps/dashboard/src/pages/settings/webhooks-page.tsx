// Webhooks: what became of each delivery of an endpoint, and the secrets that sign them.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { EndpointView, WebhookLogView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { endpointsQuery } from '../../api/queries.ts'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyBlock } from '../../ui/copy.tsx'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatBytes, formatDuration, shortId } from '../../ui/format.ts'
import { Moment } from '../../ui/moment.tsx'
import { Part, Stack } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Select } from '../../ui/select.tsx'
import { Status, type StatusKind } from '../../ui/status.tsx'
import { RowButton, useChange } from './list-section.tsx'
import { webhookLogQuery, webhookSecretsQuery } from './settings-queries.ts'
import styles from './settings.module.css'

type Attempt = WebhookLogView['attempts'][number]

const route = getRouteApi('/settings/webhooks')

export function WebhooksPage() {
  const { data: endpoints, error } = useQuery(endpointsQuery)
  const { endpoint: asked } = route.useSearch()
  const navigate = useNavigate()
  const named = endpoints?.find(({ id, name }) => id === asked || name === asked)
  // Deliveries of an arbitrary endpoint would look like those of all.
  const chosen = endpoints?.length === 1 ? endpoints[0] : named
  return (
    <Stack>
      <Part
        id="deliveries"
        title="Deliveries"
        actions={
          endpoints &&
          chosen && (
            <Select
              label="Endpoint"
              value={chosen.id}
              options={endpoints.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={(endpoint) => void navigate({ to: '.', search: (before) => ({ ...before, endpoint }) })}
            />
          )
        }
      >
        {error && <Problem error={error} />}
        {chosen && <Deliveries of={chosen} />}
        {endpoints && !chosen && <EndpointChoice among={endpoints} />}
      </Part>
      <SigningSecrets />
    </Stack>
  )
}

function EndpointChoice({ among }: { readonly among: readonly EndpointView[] }) {
  if (among.length === 0) {
    return <Empty title="There is no endpoint yet">Each attempt to deliver a webhook of a job would be listed here.</Empty>
  }
  return (
    <>
      <p>Choose the endpoint whose deliveries you want to see.</p>
      <ul className={styles.actions}>
        {among.map(({ id, name }) => (
          <li key={id}>
            <Link to="/settings/webhooks" search={(before) => ({ ...before, endpoint: id })}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

function Deliveries({ of: { id, name } }: { readonly of: EndpointView }) {
  const refused = useRefusal('view')
  const { data, error } = useQuery({ ...webhookLogQuery(id), enabled: refused === undefined })
  const redeliver = useChange(webhookLogQuery(id).queryKey, (eventId: string) => client.webhooks.redeliver(id, eventId))
  if (refused !== undefined) return <ScopeNote needed="view" />
  return (
    <>
      <ScopeNote needed="operate" />
      {redeliver.error && <Problem error={redeliver.error} />}
      {error && <Problem error={error} />}
      {data && <DeliveryLog log={data} name={name} onRedeliver={redeliver.mutate} />}
    </>
  )
}

interface DeliveryLogProps {
  readonly log: WebhookLogView
  readonly name: string
  readonly onRedeliver: (eventId: string) => void
}

function DeliveryLog({ log: { attempts, pending }, name, onRedeliver }: DeliveryLogProps) {
  return (
    <>
      {pending.count > 0 && <p>{pendingSentence(pending)}</p>}
      {attempts.length === 0 ? (
        <Empty title={`No webhook of ${name} was sent yet`}>
          A job that is submitted with <code>"webhook": "https://…"</code> reports its end there.
        </Empty>
      ) : (
        <DataTable
          caption={`Deliveries of ${name}`}
          columns={columnsOf(onRedeliver)}
          rows={attempts}
          keyOf={({ eventId, attempt, at }) => `${eventId} ${attempt} ${at}`}
        />
      )}
    </>
  )
}

function pendingSentence({ count, bytes }: WebhookLogView['pending']): string {
  return `${count} ${count === 1 ? 'event is' : 'events are'} still to be delivered or kept for a retry, ${formatBytes(bytes)} in Redis.`
}

const KINDS: Readonly<Record<Attempt['outcome'], StatusKind>> = {
  delivered: 'running',
  failed: 'starting',
  given_up: 'trouble',
  refused: 'trouble',
  dropped: 'trouble',
}

function columnsOf(onRedeliver: (eventId: string) => void): readonly TableColumn<Attempt>[] {
  return [
    { name: 'when', cell: ({ at }) => <Moment at={at} /> },
    { name: 'outcome', cell: ({ outcome }) => <Status kind={KINDS[outcome]} word={outcome.replace('_', ' ')} /> },
    { name: 'job', cell: ({ jobId }) => <code title={jobId}>{shortId(jobId)}</code> },
    { name: 'to', cell: ({ url }) => <span className={styles.wrap}>{url}</span> },
    { name: 'attempt', isNumber: true, cell: ({ attempt }) => attempt },
    { name: 'answer', cell: ({ httpStatus, error, durationMs }) => `${error ?? httpStatus ?? '–'} in ${formatDuration(durationMs)}` },
    { name: 'again', cell: ({ nextAt }) => (nextAt === undefined ? '–' : <Moment at={nextAt} />) },
    {
      name: 'actions',
      cell: ({ eventId, outcome }) =>
        outcome === 'delivered' || outcome === 'dropped' ? (
          ''
        ) : (
          <RowButton label="Deliver again" about={eventId} needs="operate" onClick={() => onRedeliver(eventId)} />
        ),
    },
  ]
}

function SigningSecrets() {
  const refused = useRefusal('admin')
  const [isShown, setShown] = useState(false)
  const [isRotating, setRotating] = useState(false)
  const { data = [], error } = useQuery({ ...webhookSecretsQuery, enabled: refused === undefined && isShown })
  const rotate = useChange(webhookSecretsQuery.queryKey, () => client.webhooks.rotateSecret())
  const close = (): void => setRotating(false)
  return (
    <Part id="signing" title="Signing secrets">
      <p className={styles.intro}>
        Receivers check a webhook by its signature. After a rotation each webhook has a signature by the new secret and by the one before.
      </p>
      <ScopeNote needed="admin" />
      <div className={styles.actions}>
        <Button disabled={refused !== undefined} aria-expanded={isShown} onClick={() => setShown((shown) => !shown)}>
          {isShown ? 'Hide the secrets' : 'Show the secrets'}
        </Button>
        <Button kind="danger" disabled={refused !== undefined} onClick={() => setRotating(true)}>
          Rotate
        </Button>
      </div>
      {error && <Problem error={error} />}
      {isShown &&
        data.map((secret, index) => <CopyBlock key={secret} text={secret} label={index === 0 ? 'Current secret' : 'Earlier secret'} />)}
      {isRotating && (
        <Confirm
          title="Rotate the signing secret?"
          verb="Rotate"
          isPending={rotate.isPending}
          error={rotate.error}
          onConfirm={() => rotate.mutate(undefined, { onSuccess: close })}
          onClose={close}
        >
          <p>The secret before the current one ends at once. Give the new one to your receivers.</p>
        </Confirm>
      )}
    </Part>
  )
}
