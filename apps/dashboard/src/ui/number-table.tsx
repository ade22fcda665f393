// The numbers of a chart as a table, for readers who do not see the chart or want to copy them.
import { useState } from 'react'
import type { Aligned, ChartSeries } from './chart-data.ts'
import { formatTime, type Zone } from './format.ts'
import styles from './chart.module.css'

export interface NumberTableProps extends Aligned {
  readonly caption: string
  readonly zone: Zone
  readonly series: readonly ChartSeries[]
  readonly format: (value: number) => string
}

const MOST_ROWS = 120

export function NumberTable(props: NumberTableProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details className={styles.numbers} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen && <Rows {...props} />}
    </details>
  )
}

/** Newest first; without the steps in which nothing happened. */
function Rows({ caption, times, values, zone, series, format }: NumberTableProps) {
  const rows = times.flatMap((at, index) => {
    const cells = values.map((one) => one[index] ?? null)
    return cells.every((cell) => cell === null || cell === 0) ? [] : [{ at, cells }]
  })
  if (rows.length === 0) return <p>Nothing happened in this range.</p>
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={`Numbers of ${caption}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">from</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows
            .toReversed()
            .slice(0, MOST_ROWS)
            .map(({ at, cells }) => (
              <tr key={at}>
                <th scope="row">{formatTime(at, zone)}</th>
                {series.map(({ name }, index) => (
                  <td key={name}>{cells[index] === null || cells[index] === undefined ? '–' : format(cells[index])}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}
