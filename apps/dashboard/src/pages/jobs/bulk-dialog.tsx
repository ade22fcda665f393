// Retries or cancels all jobs that match, after a dry run has counted them.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { BulkBody, BulkView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { NOTHING_MEANWHILE } from '../../api/queries.ts'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { formatCount } from '../../ui/format.ts'
import { Problem } from '../../ui/problem.tsx'
import styles from './jobs-page.module.css'

const MOST_AT_ONCE = 10_000

type Action = BulkBody['action']

export interface BulkDialogProps {
  readonly action: Action
  readonly filter: BulkBody['filter']
  /** Which they are, in words. */
  readonly which: string
  readonly onClose: () => void
}

const WORDS = {
  retry: {
    title: 'Retry jobs',
    verb: 'Retry',
    what: 'failed or timed out. Those whose result is gone, or that run again already, are left as they are.',
    done: 'queued again',
    kind: 'primary',
  },
  cancel: { title: 'Cancel jobs', verb: 'Cancel', what: 'wait or run.', done: 'cancelled', kind: 'danger' },
} as const

const countJobs = (jobs: number): string => (jobs === 1 ? '1 job' : `${formatCount(jobs)} jobs`)

export function BulkDialog({ action, filter, which, onClose }: BulkDialogProps) {
  const cache = useQueryClient()
  const isAllowed = useRefusal('operate') === undefined
  const dryRun = useQuery({
    queryKey: ['bulk', action, filter],
    ...NOTHING_MEANWHILE,
    staleTime: 0,
    enabled: isAllowed,
    queryFn: () => client.history.changeJobs({ action, filter, dryRun: true, limit: MOST_AT_ONCE }),
  })
  const change = useMutation({
    mutationFn: () => client.history.changeJobs({ action, filter, limit: MOST_AT_ONCE }),
    onSettled: () => cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'jobs' || queryKey[0] === 'failures' }),
  })
  const error = dryRun.error ?? change.error
  return (
    <Dialog title={WORDS[action].title} onClose={onClose}>
      <ScopeNote needed="operate" />
      {dryRun.isLoading && <p role="status">Counting…</p>}
      {change.data ? <Outcome result={change.data} action={action} /> : <Count counted={dryRun.data} action={action} which={which} />}
      {error && <Problem error={error} />}
      <Answers
        isDone={change.data !== undefined}
        matched={dryRun.data?.matched ?? 0}
        isPending={change.isPending}
        action={action}
        onClose={onClose}
        onConfirm={() => change.mutate()}
      />
    </Dialog>
  )
}

interface AnswersProps extends Pick<BulkDialogProps, 'action' | 'onClose'> {
  readonly isDone: boolean
  readonly matched: number
  readonly isPending: boolean
  readonly onConfirm: () => void
}

function Answers({ isDone, matched, isPending, action, onClose, onConfirm }: AnswersProps) {
  const { kind, verb } = WORDS[action]
  return (
    <DialogActions>
      <Button onClick={onClose}>{isDone ? 'Close' : 'Keep'}</Button>
      {!isDone && (
        <Button kind={kind} disabled={matched === 0 || isPending} onClick={onConfirm}>
          {verb} {countJobs(matched)}
        </Button>
      )}
    </DialogActions>
  )
}

function Count({ counted, action, which }: Pick<BulkDialogProps, 'action' | 'which'> & { readonly counted: BulkView | undefined }) {
  if (counted === undefined) return null
  return (
    <p role="status">
      <strong>
        {countJobs(counted.matched)}
        {counted.isMore && ' and more'}
      </strong>{' '}
      {which} {WORDS[action].what}
    </p>
  )
}

/** What became of it; each reason of a refusal once. */
export function Outcome({ result, action }: { readonly result: Pick<BulkView, 'done' | 'refused'>; readonly action: Action }) {
  return (
    <div role="status">
      <p>
        {countJobs(result.done)} {WORDS[action].done}.
      </p>
      <ul className={styles.refused}>
        {result.refused.map(({ why, jobs }) => (
          <li key={why}>
            {countJobs(jobs)} not: {why}
          </li>
        ))}
      </ul>
    </div>
  )
}
