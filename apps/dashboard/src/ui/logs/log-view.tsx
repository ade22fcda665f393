// Logs of several workers or of one, merged by time, with their filters: the same on every page that shows logs.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { keepRange, useRange } from '../../app/range.ts'
import { Button } from '../button.tsx'
import { Empty } from '../empty.tsx'
import { Problem } from '../problem.tsx'
import { downloadLogs } from './download-logs.ts'
import { readLogFilter, toLogSearch, type LogFilter } from './log-filter.ts'
import { LogFilters, type LogFiltersProps } from './log-filters.tsx'
import { LogList } from './log-list.tsx'
import { useLogs, type Logs } from './use-logs.ts'
import styles from './log-view.module.css'

/** `fixed`: what the page is about. */
export function LogView({ fixed }: { readonly fixed: LogFilter }) {
  const filter = { ...readLogFilter(useSearch({ strict: false })), ...fixed }
  const range = useRange()
  const logs = useLogs(filter, range)
  const navigate = useNavigate()
  const change: LogFiltersProps['onChange'] = (changed) =>
    void navigate({ to: '.', search: (search) => ({ ...keepRange(search), ...readLogFilter({ ...search, ...changed }) }), replace: true })
  const search = { ...toLogSearch(filter), from: range.from, cursor: range.span === undefined ? range.to : undefined }
  return (
    <div className={styles.view}>
      <div className={styles.bar}>
        <LogFilters filter={filter} fixed={fixed} onChange={change} />
        <DownloadButton onSave={() => downloadLogs(search, `${filter.worker ?? filter.endpoint ?? 'runyard'}.log`)} />
        <StreamMark stream={logs.stream} />
      </div>
      {logs.error && <Problem error={logs.error} onRetry={logs.retry} />}
      {logs.lines.length > 0 && (
        <LogList
          lines={logs.lines}
          readOlder={logs.readOlder}
          isFollowing={logs.stream !== undefined}
          at={filter.at}
          hasWorker={fixed.worker === undefined}
          onJob={(job) => change({ job })}
        />
      )}
      {logs.lines.length === 0 && !logs.error && <NoLines logs={logs} filter={filter} fixed={fixed} onChange={change} />}
    </div>
  )
}

function NoLines({ logs, filter, fixed, onChange }: { readonly logs: Logs } & LogFiltersProps) {
  if (logs.isReading) return <p className={styles.muted}>Reading…</p>
  const set = (Object.keys(filter) as (keyof LogFilter)[]).filter((name) => name !== 'at' && fixed[name] === undefined)
  if (set.length === 0) {
    return (
      <Empty title="No worker has written anything in this range">
        Lines of a worker are here while it lives and for an hour after its end. Choose a longer range, or send a job.
      </Empty>
    )
  }
  return (
    <Empty title="No line matches">
      <p>Drop a filter:</p>
      <div className={styles.chips}>
        {set.map((name) => (
          <Button key={name} onClick={() => onChange({ [name]: undefined })}>
            {name === 'q' ? 'text' : name}: {filter[name]} ✕
          </Button>
        ))}
      </div>
    </Empty>
  )
}

function DownloadButton({ onSave }: { readonly onSave: () => Promise<void> }) {
  const [isSaving, setSaving] = useState(false)
  const save = (): void => {
    setSaving(true)
    void onSave().finally(() => setSaving(false))
  }
  return (
    <Button disabled={isSaving} onClick={save}>
      Download
    </Button>
  )
}

function StreamMark({ stream }: Pick<Logs, 'stream'>) {
  if (stream === undefined) return null
  return (
    <span className={styles.mark} data-stream={stream} role="status">
      {stream === 'open' ? '● following' : '✕ not following; trying again'}
    </span>
  )
}
