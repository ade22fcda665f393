// A list as a table; on a narrow screen each row becomes a card with the column's name before each value.
import type { ReactNode } from 'react'
import styles from './data-table.module.css'

export interface TableColumn<Row> {
  /** Its header. */
  readonly name: string
  readonly cell: (row: Row) => ReactNode
  /** Numbers stand right. */
  readonly isNumber?: boolean
}

export interface DataTableProps<Row> {
  /** What the table lists; for screen readers. */
  readonly caption: string
  readonly columns: readonly TableColumn<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}

export function DataTable<Row>({ caption, columns, rows, keyOf }: DataTableProps<Row>) {
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, isNumber }) => (
            <th key={name} scope="col" data-number={isNumber}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ name, cell, isNumber }) => (
              <td key={name} data-label={name} data-number={isNumber}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
