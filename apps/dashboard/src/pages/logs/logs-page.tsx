import { LogView } from '../../ui/logs/log-view.tsx'
import styles from './logs-page.module.css'

const EVERY_WORKER = {}

/** What all workers print, and what happens to them, merged by time. */
export function LogsPage() {
  return (
    <div className={styles.page}>
      <h1>Logs</h1>
      <LogView fixed={EVERY_WORKER} />
    </div>
  )
}
