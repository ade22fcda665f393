// The input of a job, to be changed and submitted as a new job: an ended one never changes.
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useId, useState } from 'react'
import type { JobDetailView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { keepRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Problem } from '../../ui/problem.tsx'
import { findJsonError } from '../../ui/json-error.ts'
import { describeAbsent, MOST_BYTES, valueQuery } from './job-queries.ts'
import styles from './job-page.module.css'

export interface RunAgainProps {
  readonly job: JobDetailView
  readonly onClose: () => void
}

export function RunAgain({ job, onClose }: RunAgainProps) {
  const { data, error, isLoading } = useQuery(valueQuery(job, 'input', true))
  const absent = error?.message ?? describeAbsent(job, 'input')
  const isTooLarge = data?.isWhole === false
  return (
    <Dialog title={`Run again on ${job.endpoint.name}`} onClose={onClose}>
      {isLoading && <p>Reading the input…</p>}
      {absent !== undefined && <p className={styles.muted}>{absent} Write another one.</p>}
      {isTooLarge && (
        <p className={styles.muted}>
          The input is larger than {MOST_BYTES / 1024 ** 2} MiB, which this page does not edit. Write another one.
        </p>
      )}
      {!isLoading && <Editor job={job} first={data === undefined || isTooLarge ? '{}' : pretty(data.text)} onClose={onClose} />}
    </Dialog>
  )
}

/** As it is where a number would lose digits. */
function pretty(text: string): string {
  const parsed: unknown = JSON.parse(text)
  return JSON.stringify(parsed) === text ? JSON.stringify(parsed, null, 2) : text
}

function Editor({ job, first, onClose }: RunAgainProps & { readonly first: string }) {
  const [text, setText] = useState(first)
  const id = useId()
  const navigate = useNavigate()
  const wrong = findJsonError(text)?.message
  const run = useMutation({
    mutationFn: () => client.jobs.run(job.endpoint.id, { input: JSON.parse(text) }),
    onSuccess: (made) => navigate({ to: '/jobs/$id', params: { id: made.id }, search: keepRange }),
  })
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (wrong === undefined) run.mutate()
      }}
    >
      <label htmlFor={id}>Input, as JSON</label>
      <textarea
        id={id}
        className={styles.editor}
        spellCheck={false}
        value={text}
        aria-invalid={wrong !== undefined}
        aria-describedby={`${id}-wrong`}
        onChange={(event) => setText(event.target.value)}
      />
      <p id={`${id}-wrong`} role="status">
        {wrong === undefined ? 'A new job, without the webhook and policy of this one.' : `✕ ${wrong}`}
      </p>
      {run.error && <Problem error={run.error} />}
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" kind="primary" disabled={wrong !== undefined || run.isPending}>
          Run
        </Button>
      </DialogActions>
    </form>
  )
}
