import { useQuery } from '@tanstack/react-query'
import type { JobDetailView } from '@runyard/schema/api'
import { API_URL } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { CopyBlock } from '../../ui/copy.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { formatBytes } from '../../ui/format.ts'
import { valueQuery } from './job-queries.ts'
import { snippetsOf } from './snippets.ts'
import styles from './job-page.module.css'

/** Longer ones do not fit a command line. */
const MOST_INPUT_BYTES = 64 * 1024
const PLACEHOLDER = '{"prompt": "…"}'

/** The call of this job in four languages. */
export function CopyCall({ job, onClose }: { readonly job: JobDetailView; readonly onClose: () => void }) {
  const { data, error, isPending } = useQuery(valueQuery(job.id, 'input', true))
  const input = data !== undefined && data.bytes <= MOST_INPUT_BYTES ? data.text : undefined
  return (
    <Dialog title="Copy as" onClose={onClose}>
      {isPending && <p>Reading the input…</p>}
      {error && <p className={styles.muted}>{error.message} A placeholder stands for it.</p>}
      {data && input === undefined && <p className={styles.muted}>The input has {formatBytes(data.bytes)}. A placeholder stands for it.</p>}
      {!isPending &&
        snippetsOf({ url: API_URL, endpoint: job.endpoint, input: input ?? PLACEHOLDER }).map(({ name, text }) => (
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
