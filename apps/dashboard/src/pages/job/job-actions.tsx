// What can be done with a job. `c` and `r` ask first, as the buttons do: no single key ends anything.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { JobDetailView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { mayChange, REFUSALS, type JobChange } from '../../ui/job-changes.ts'
import { useKeys } from '../../ui/keys.ts'
import { CopyCall } from './copy-call.tsx'
import { RunAgain } from './run-again.tsx'
import styles from './job-page.module.css'

type Question = 'cancel' | 'retry' | 'again' | 'copy'

const QUESTIONS = {
  cancel: { title: 'Cancel this job?', verb: 'Cancel the job', text: 'It ends as CANCELLED, and its worker is asked to stop.' },
  retry: { title: 'Retry this job?', verb: 'Retry', text: 'It is queued again under its id, with the same input. Its error is forgotten.' },
} as const

export function JobActions({ job }: { readonly job: JobDetailView }) {
  const [question, ask] = useState<Question>()
  const mayRun = useRefusal('run') === undefined
  const [refusal, refuse] = useState<string>()
  const canCancel = mayChange('cancel', job)
  const isGone = mayChange('retry', job) && !job.kept.includes('input')
  const canRetry = mayChange('retry', job) && !isGone
  const askIf = (change: JobChange): void => {
    const may = change === 'retry' ? canRetry : canCancel
    refuse(may || isGone ? undefined : REFUSALS[change])
    if (may) ask(change)
  }
  useKeys({ c: () => mayRun && askIf('cancel'), r: () => mayRun && askIf('retry') })
  const close = (): void => ask(undefined)
  return (
    <>
      <div className={styles.actions}>
        {canRetry && (
          <Button kind="primary" disabled={!mayRun} onClick={() => ask('retry')}>
            Retry
          </Button>
        )}
        {canCancel && (
          <Button kind="danger" disabled={!mayRun} onClick={() => ask('cancel')}>
            Cancel
          </Button>
        )}
        <Button disabled={!mayRun} onClick={() => ask('again')}>
          Edit and run again
        </Button>
        <Button onClick={() => ask('copy')}>Copy as…</Button>
      </div>
      {isGone && <p className={styles.muted}>Its input is not kept any more, so it cannot be retried.</p>}
      <p role="status" hidden={refusal === undefined} className={styles.muted}>
        {refusal}
      </p>
      <ScopeNote needed="run" />
      {(question === 'cancel' || question === 'retry') && <Change job={job} action={question} onClose={close} />}
      {question === 'again' && <RunAgain job={job} onClose={close} />}
      {question === 'copy' && <CopyCall job={job} onClose={close} />}
    </>
  )
}

interface ChangeProps {
  readonly job: JobDetailView
  readonly action: 'cancel' | 'retry'
  readonly onClose: () => void
}

function Change({ job, action, onClose }: ChangeProps) {
  const cache = useQueryClient()
  const change = useMutation({
    mutationFn: () => client.jobs[action](job.endpoint.id, job.id),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['job', job.id] })
      onClose()
    },
  })
  const { title, verb, text } = QUESTIONS[action]
  return (
    <Confirm
      title={title}
      verb={verb}
      isPending={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <p>{text}</p>
    </Confirm>
  )
}
