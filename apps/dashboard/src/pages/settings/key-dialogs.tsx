// The form of a new key, and the key itself, which is shown once.
import { useState } from 'react'
import type { KeyScope } from '@runyard/schema'
import type { CreateKeyBody, NewKeyView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyBlock } from '../../ui/copy.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Select } from '../../ui/select.tsx'
import { useChange } from './list-section.tsx'
import { keysQuery } from '../../api/queries.ts'
import styles from './settings.module.css'

const SCOPES: readonly { readonly scope: KeyScope; readonly means: string }[] = [
  { scope: 'run', means: 'submits jobs, reads and cancels its jobs' },
  { scope: 'view', means: 'reads everything, changes nothing' },
  { scope: 'operate', means: 'run and view; retries and cancels in bulk, redelivers webhooks' },
  { scope: 'admin', means: 'everything: endpoints, keys, secrets' },
  { scope: 'metrics', means: 'reads /metrics' },
]

const DAY_MS = 24 * 3_600_000
const LIVES = [
  { value: '0', label: 'never' },
  { value: '1', label: 'in a day' },
  { value: '7', label: 'in 7 days' },
  { value: '30', label: 'in 30 days' },
  { value: '90', label: 'in 90 days' },
  { value: '365', label: 'in a year' },
]

const EMPTY = { name: '', scopes: ['run'] as readonly KeyScope[], days: '0', workers: '', queuedJobs: '' }
type Draft = typeof EMPTY

function toBody({ name, scopes, days, workers, queuedJobs }: Draft): CreateKeyBody {
  const limits = {
    ...(workers === '' ? {} : { workers: Number(workers) }),
    ...(queuedJobs === '' ? {} : { queuedJobs: Number(queuedJobs) }),
  }
  const expiry = days === '0' ? {} : { expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }
  return { name, scopes: [...scopes], ...expiry, ...(Object.keys(limits).length === 0 ? {} : { limits }) }
}

interface MakeKeyProps {
  readonly onMade: (made: NewKeyView) => void
  readonly onClose: () => void
}

export function MakeKey({ onMade, onClose }: MakeKeyProps) {
  const [draft, setDraft] = useState<Draft>(EMPTY)
  const set = (change: Partial<Draft>): void => setDraft((before) => ({ ...before, ...change }))
  const make = useChange(keysQuery.queryKey, (body: CreateKeyBody) => client.keys.create(body))
  return (
    <Dialog title="Make a key" onClose={onClose}>
      <Form onSubmit={() => make.mutate(toBody(draft), { onSuccess: onMade })}>
        <Field
          label="Name"
          help="What it is for, such as ci or anna’s laptop"
          required
          value={draft.name}
          onChange={(name) => set({ name })}
        />
        <ScopeChoices scopes={draft.scopes} onChange={(scopes) => set({ scopes })} />
        <label>
          Expires <Select label="Expires" value={draft.days} options={LIVES} onChange={(days) => set({ days })} />
        </label>
        <div className={styles.pair}>
          <Field
            label="Most workers"
            help="Of all endpoints that it makes; empty: the default"
            type="number"
            min={1}
            value={draft.workers}
            onChange={(workers) => set({ workers })}
          />
          <Field
            label="Most queued jobs"
            help="Per endpoint; empty: the default"
            type="number"
            min={1}
            value={draft.queuedJobs}
            onChange={(queuedJobs) => set({ queuedJobs })}
          />
        </div>
        {make.error && <Problem error={make.error} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={make.isPending || draft.scopes.length === 0}>
            Make the key
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  )
}

interface ScopeChoicesProps {
  readonly scopes: readonly KeyScope[]
  readonly onChange: (scopes: readonly KeyScope[]) => void
}

function ScopeChoices({ scopes, onChange }: ScopeChoicesProps) {
  return (
    <fieldset className={styles.choices}>
      <legend>Scopes</legend>
      {SCOPES.map(({ scope, means }) => (
        <label key={scope}>
          <input
            type="checkbox"
            checked={scopes.includes(scope)}
            onChange={({ target }) => onChange(target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope))}
          />
          <span>
            {scope} <small>{means}</small>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

export function ShowKey({ made, onClose }: { readonly made: NewKeyView; readonly onClose: () => void }) {
  return (
    <Dialog title={`The key ${made.name}`} onClose={onClose}>
      <p>Copy it now: it is not shown again.</p>
      <CopyBlock text={made.key} label="The new key" />
      <DialogActions>
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </DialogActions>
    </Dialog>
  )
}
