import { Link } from '@tanstack/react-router'
import { useNow } from '../../ui/now.ts'
import styles from './usage-page.module.css'

const HOUR_MS = 3_600_000

/** Longer ranges, which only usage keeps: months in UTC, as the ledger's days are. */
export function Months() {
  const now = new Date(useNow(HOUR_MS))
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
  const ranges = [
    { label: 'This month', from: Date.UTC(year, month), to: Date.UTC(year, month + 1) },
    { label: 'Last month', from: Date.UTC(year, month - 1), to: Date.UTC(year, month) },
    { label: 'This year', from: Date.UTC(year), to: Date.UTC(year + 1) },
  ]
  return (
    <nav aria-label="Longer ranges" className={styles.months}>
      {ranges.map(({ label, from, to }) => (
        <Link key={label} to="/usage" search={({ range: _range, ...rest }) => ({ ...rest, from, to })}>
          {label}
        </Link>
      ))}
    </nav>
  )
}
