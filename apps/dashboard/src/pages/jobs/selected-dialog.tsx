// Retries or cancels the jobs that were selected, each by its own call.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { BulkBody, BulkView, FoundJob } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { shortId } from '../../ui/format.ts'
import { JobStatus } from '../../ui/job-status.tsx'
import { Outcome } from './bulk-dialog.tsx'
import styles from './jobs-page.module.css'

const SHOWN = 10

export interface SelectedDialogProps {
  readonly action: BulkBody['action']
  readonly jobs: readonly FoundJob[]
  readonly onClose: () => void
}

export function SelectedDialog({ action, jobs, onClose }: SelectedDialogProps) {
  const cache = useQueryClient()
  const change = useMutation({
    mutationFn: () => changeEach(action, jobs),
    onSettled: () => cache.invalidateQueries({ queryKey: ['jobs'] }),
  })
  const what = jobs.length === 1 ? 'this job' : `these ${jobs.length} jobs`
  const verb = action === 'retry' ? 'Retry' : 'Cancel'
  return (
    <Dialog title={`${verb} ${what}?`} onClose={onClose}>
      {change.data === undefined && (
        <ul className={styles.refused}>
          {jobs.slice(0, SHOWN).map(({ id, status, endpoint }) => (
            <li key={id}>
              <JobStatus status={status} /> <code>{shortId(id)}</code> of {endpoint.name}
            </li>
          ))}
          {jobs.length > SHOWN && <li>and {jobs.length - SHOWN} more</li>}
        </ul>
      )}
      {change.data && <Outcome result={change.data} action={action} />}
      <DialogActions>
        <Button onClick={onClose}>{change.data ? 'Close' : 'Keep'}</Button>
        {!change.data && (
          <Button kind={action === 'cancel' ? 'danger' : 'primary'} disabled={change.isPending} onClick={() => change.mutate()}>
            {verb} {what}
          </Button>
        )}
      </DialogActions>
    </Dialog>
  )
}

async function changeEach(action: BulkBody['action'], jobs: readonly FoundJob[]): Promise<Pick<BulkView, 'done' | 'refused'>> {
  const refusals: string[] = []
  for (const job of jobs) {
    const refusal = await changeOne(action, job)
    if (refusal !== undefined) refusals.push(refusal)
  }
  const refused = [...Map.groupBy(refusals, (why) => why)].map(([why, all]) => ({ why, jobs: all.length }))
  return { done: jobs.length - refusals.length, refused }
}

/** Why it was not changed. */
async function changeOne(action: BulkBody['action'], { id, endpoint }: FoundJob): Promise<string | undefined> {
  try {
    const { status } = await client.jobs[action](endpoint.id, id)
    return action === 'cancel' && status !== 'CANCELLED' ? `it had ended as ${status}` : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
