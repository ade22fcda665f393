import type { UsageLine, UsageView } from '@runyard/schema/api'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { formatCost, formatPercent } from '../../ui/format.ts'
import { barsOf, formatHours, GROUPINGS, idleShare, nameOf, sortUsage, type Grouping } from './describe-usage.ts'
import styles from './usage-page.module.css'

interface Row {
  readonly name: string
  readonly line: UsageView['total']
  /** Absent: the total. */
  readonly bar?: { readonly length: number; readonly idle: number }
}

export function UsageTable({ view, by }: { readonly view: UsageView; readonly by: Grouping }) {
  const lines = sortUsage(view.usage, by)
  const bars = barsOf(lines)
  const rows = lines.map((line: UsageLine, at): Row => ({ name: nameOf(line, by), line, bar: bars[at] ?? { length: 0, idle: 0 } }))
  const label = GROUPINGS.find((grouping) => grouping.by === by)?.label ?? ''
  return (
    <DataTable
      caption={`Usage by ${label.toLowerCase()}`}
      columns={columnsOf(by === 'day' ? 'day (UTC)' : label.toLowerCase(), view)}
      rows={[...rows, { name: 'Total', line: view.total }]}
      keyOf={({ name, bar }) => `${bar === undefined ? 'total' : 'line'} ${name}`}
    />
  )
}

function columnsOf(name: string, { currency, total }: UsageView): readonly TableColumn<Row>[] {
  const strong = (text: string, { bar }: Row) => (bar === undefined ? <strong>{text}</strong> : text)
  const cost: readonly TableColumn<Row>[] =
    total.cost > 0 ? [{ name: 'cost', isNumber: true, cell: (row) => strong(formatCost(row.line.cost, currency), row) }] : []
  return [
    { name, cell: (row) => <span className={styles.name}>{strong(row.name, row)}</span> },
    { name: 'share', cell: ({ bar }) => bar && <Bar {...bar} /> },
    { name: 'GPU time', isNumber: true, cell: (row) => strong(formatHours(row.line.gpuSeconds), row) },
    { name: 'billed', isNumber: true, cell: (row) => strong(formatHours(row.line.billableSeconds), row) },
    { name: 'idle', isNumber: true, cell: (row) => strong(percent(idleShare(row.line)), row) },
    ...cost,
  ]
}

const percent = (share: number | undefined): string => (share === undefined ? '–' : formatPercent(share))

/** The idle part is paler, and hatched. */
function Bar({ length, idle }: { readonly length: number; readonly idle: number }) {
  return (
    <span className={styles.bar} aria-hidden>
      <span className={styles.work} style={{ width: `${100 * length * (1 - idle)}%` }} />
      <span className={styles.idle} style={{ width: `${100 * length * idle}%` }} />
    </span>
  )
}
