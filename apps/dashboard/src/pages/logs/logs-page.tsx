import { Page } from '../../ui/page.tsx'
import { LogView } from '../../ui/logs/log-view.tsx'

const EVERY_WORKER = {}

/** What all workers print, and what happens to them, merged by time. */
export function LogsPage() {
  return (
    <Page title="Logs">
      <LogView fixed={EVERY_WORKER} />
    </Page>
  )
}
