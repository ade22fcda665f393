// A list as a table; on a narrow screen each row becomes a card with the column's name before each value.
import { Fragment, type ReactNode } from 'react'
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
  /** A sentence about a row, in a line of its own below it; undefined: none. */
  readonly noteOf?: (row: Row) => ReactNode
}

export function DataTable<Row>({ caption, columns, rows, keyOf, noteOf }: DataTableProps<Row>) {
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
          <Fragment key={keyOf(row)}>
            <tr>
              {columns.map((column) => (
                <Cell key={column.name} column={column} row={row} />
              ))}
            </tr>
            <Note span={columns.length}>{noteOf?.(row)}</Note>
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

function Note({ span, children }: { readonly span: number; readonly children: ReactNode }) {
  if (children === undefined) return null
  return (
    <tr className={styles.note}>
      <td colSpan={span}>{children}</td>
    </tr>
  )
}

/** What is not known has no line of its own on a card. */
const NONE = '–'

function Cell<Row>({ column: { name, cell, isNumber }, row }: { readonly column: TableColumn<Row>; readonly row: Row }) {
  const value = cell(row)
  return (
    <td data-label={name} data-number={isNumber} data-none={value === NONE}>
      {value}
    </td>
  )
}
