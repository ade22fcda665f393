// Lists for people (ADR 85). Without a terminal each row is one line with everything in full, for `grep` and `awk`. On a terminal a list fits the
// width: ids are shortened to what distinguishes them, long texts are cut, then the least important columns go. `-o wide` shows all in full.
import type { CommandContext } from '../command.ts'
import { printJson } from './print-json.ts'
import { renderTable } from './table.ts'
import { alignColumns, TIME_FORMS, type Terminal, type TimeForm } from './terminal.ts'
import { cutEnd, cutMiddle, toVisible, widthOf, wrap } from './visible.ts'

const SHORTEST_ID = 8
const SHORTEST_TEXT = 12
/** No terminal is taken to be narrower. */
const NARROWEST = 40
const MOST_NOTE_LINES = 3

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => string
  /** The colour of a cell. */
  readonly paint?: (row: T) => (text: string) => string
  /** Columns with higher numbers go first where there is no room; without a number a column stays. */
  readonly goes?: number
  /** What is cut where there is no room: an id to what distinguishes it, a name in its middle, a text at its end. */
  readonly cut?: 'id' | 'middle' | 'end'
  /** Shown by `-o wide` alone. */
  readonly isWide?: boolean
  readonly isNumber?: boolean
}

export interface Listing<T> {
  readonly rows: readonly T[]
  readonly columns: readonly Column<T>[]
  /** What a row has to say beside its cells: below it on a terminal, at the end of its line without one. */
  readonly note?: (row: T) => string | undefined
  readonly noteTitle?: string
  readonly paintNote?: (row: T) => (text: string) => string
  /** What `--json` prints. */
  readonly data: unknown
  readonly empty: string
}

/** The form of times that was asked for; else an age on a terminal and UTC elsewhere. */
export function timeFormOf({ out, options }: Pick<CommandContext, 'out' | 'options'>): TimeForm {
  return TIME_FORMS.find((form) => form === options['time']) ?? (out.isTty ? 'relative' : 'utc')
}

export function printListing<T>(context: Pick<CommandContext, 'out' | 'options'>, listing: Listing<T>): number {
  const { out } = context
  if (context.options['json'] === true) return printJson(out, listing.data)
  for (const line of renderListing(out, listing)) out.line(line)
  return 0
}

export function renderListing<T>(out: Terminal, listing: Listing<T>): readonly string[] {
  if (listing.rows.length === 0) return [out.dim(listing.empty)]
  if (out.isTty && out.form !== 'wide') return renderFitted(out, listing)
  const columns = listing.columns.filter(({ isWide }) => isWide !== true || out.form === 'wide')
  const isNoted = listing.rows.some((row) => listing.note?.(row) !== undefined)
  const rows = listing.rows.map((row) => {
    const note = listing.note?.(row)
    const painted = note === undefined ? '' : (listing.paintNote?.(row)(note) ?? note)
    return [...columns.map((column) => column.paint?.(row)(column.cell(row)) ?? column.cell(row)), ...(isNoted ? [painted] : [])]
  })
  return renderTable(out, rows, [...columns.map(({ title }) => title), ...(isNoted ? [listing.noteTitle ?? ''] : [])])
}

interface Fitted<T> {
  readonly column: Column<T>
  readonly cells: readonly string[]
  readonly width: number
}

function renderFitted<T>(out: Terminal, { rows, columns, note, paintNote }: Listing<T>): readonly string[] {
  const room = Math.max(NARROWEST, out.columns)
  const fitted = fit(
    columns.filter(({ isWide }) => isWide !== true).map((column) => measure(column, rows)),
    room,
  )
  const pad = ({ column, width }: Fitted<T>, text: string): string =>
    column.isNumber === true ? `${' '.repeat(Math.max(0, width - widthOf(text)))}${text}` : text
  const head = fitted.map((one) => out.dim(pad(one, one.column.title)))
  const body = rows.map((row, index) =>
    fitted.map((one) => {
      const text = pad(one, one.cells[index] ?? '')
      return one.column.paint?.(row)(text) ?? text
    }),
  )
  const [titles = '', ...lines] = alignColumns([head, ...body])
  return [
    titles,
    ...lines.flatMap((line, index) => {
      const row = rows[index]
      const words = row === undefined ? undefined : note?.(row)
      if (row === undefined || words === undefined) return [line]
      return [line, ...wrapNote(words, room - 4).map((part, at) => (paintNote?.(row) ?? out.dim)(`${at === 0 ? '  ↳ ' : '    '}${part}`))]
    }),
  ]
}

/** Lines of a program stand below each other. */
function wrapNote(words: string, columns: number): readonly string[] {
  const lines = words.split('\n').flatMap((line) => wrap(toVisible(line, false), { columns, most: MOST_NOTE_LINES }))
  if (lines.length <= MOST_NOTE_LINES) return lines
  return [...lines.slice(0, MOST_NOTE_LINES - 1), cutEnd(`${lines[MOST_NOTE_LINES - 1]} …`, columns)]
}

function measure<T>(column: Column<T>, rows: readonly T[]): Fitted<T> {
  const whole = rows.map((row) => toVisible(column.cell(row), false))
  return resize(column, column.cut === 'id' ? shortenIds(whole) : whole)
}

function resize<T>(column: Column<T>, cells: readonly string[]): Fitted<T> {
  return { column, cells, width: Math.max(widthOf(column.title), ...cells.map(widthOf)) }
}

/** Cuts texts as far as they may be cut; if that is not enough, drops a column and starts again. */
function fit<T>(whole: readonly Fitted<T>[], room: number): readonly Fitted<T>[] {
  const over = (all: readonly Fitted<T>[]): number => all.reduce((sum, { width }) => sum + width + 2, -2) - room
  let fitted = whole
  for (const one of whole.toSorted((a, b) => b.width - a.width)) {
    const excess = over(fitted)
    if (excess > 0) fitted = fitted.map((each) => (each.column === one.column ? cutColumn(each, each.width - excess) : each))
  }
  if (over(fitted) <= 0) return fitted
  const least = Math.max(...whole.map(({ column }) => column.goes ?? 0))
  return least === 0
    ? fitted
    : fit(
        whole.filter(({ column }) => (column.goes ?? 0) < least),
        room,
      )
}

function cutColumn<T>({ column, cells, width }: Fitted<T>, wanted: number): Fitted<T> {
  const most = Math.max(wanted, Math.min(width, SHORTEST_TEXT), widthOf(column.title))
  if (column.cut === 'middle')
    return resize(
      column,
      cells.map((cell) => cutMiddle(cell, most)),
    )
  return column.cut === 'end'
    ? resize(
        column,
        cells.map((cell) => cutEnd(cell, most)),
      )
    : { column, cells, width }
}

/** As many characters as distinguish all ids, at least eight. Commands take such a beginning for the id. */
export function shortenIds(ids: readonly string[]): readonly string[] {
  const different = new Set(ids).size
  const longest = Math.max(...ids.map(({ length }) => length))
  for (let length = SHORTEST_ID; length < longest; length += 1) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === different) return ids.map((id) => id.slice(0, length))
  }
  return ids
}
