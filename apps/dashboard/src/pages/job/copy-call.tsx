import { useQuery } from '@tanstack/react-query'
import type { JobDetailView, JobValueView } from '@runyard/schema/api'
import { API_URL } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyBlock } from '../../ui/copy.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { formatBytes } from '../../ui/format.ts'
import { describeAbsent, valueQuery } from './job-queries.ts'
import { snippetsOf } from './snippets.ts'
import styles from './job-page.module.css'

/** Longer ones do not fit a command line. */
const MOST_INPUT_BYTES = 64 * 1024
const PLACEHOLDER = '{"prompt": "…"}'

/** The call of this job in four languages. */
export function CopyCall({ job, onClose }: { readonly job: JobDetailView; readonly onClose: () => void }) {
  const { data, error, isLoading } = useQuery(valueQuery(job, 'input', true))
  const absent = error?.message ?? describeAbsent(job, 'input') ?? describeLong(data)
  return (
    <Dialog title="Copy as" onClose={onClose}>
      {isLoading && <p>Reading the input…</p>}
      {absent !== undefined && <p className={styles.muted}>{absent} A placeholder stands for it.</p>}
      {!isLoading &&
        snippetsOf({
          url: API_URL,
          endpoint: job.endpoint,
          input: absent === undefined && data !== undefined ? data.text : PLACEHOLDER,
        }).map(({ name, text }) => (
          <section key={name} className={styles.form} aria-label={name}>
            <h3>{name}</h3>
            <CopyBlock text={text} label={`The call for ${name}`} />
          </section>
        ))}
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  )
}

function describeLong(input: JobValueView | undefined): string | undefined {
  return input === undefined || input.bytes <= MOST_INPUT_BYTES ? undefined : `The input has ${formatBytes(input.bytes)}.`
}
