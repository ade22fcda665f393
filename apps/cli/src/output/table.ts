// Tables for users. Piped output keeps one row per line, for `grep` and `awk`. On a terminal a table that is too wide gets another layout until its
// lines fit: first the last column wraps, then each row becomes a block. Nothing is cut, so that ids can be copied.
import { alignColumns, type Terminal } from './terminal.ts'
import { toVisible, widthOf } from './visible.ts'

type Row = readonly string[]

/** A wrapped last column needs at least this width. */
const NARROWEST_LAST = 20

/** `head`: the titles of the columns. Without them the first cell of a row is its title. */
export function renderTable(out: Pick<Terminal, 'isTty' | 'columns' | 'dim'>, rows: readonly Row[], head: Row = []): readonly string[] {
  const all = head.length === 0 ? rows : [head.map((title) => out.dim(title)), ...rows]
  const aligned = alignColumns(all)
  const fits = (lines: readonly string[]): boolean => !out.isTty || lines.every((line) => widthOf(line) <= out.columns)
  if (fits(aligned)) return aligned
  const wrapped = wrapLast(all, out.columns)
  // Without titles a long word, e.g. a path, is left to the terminal to wrap.
  if (wrapped !== undefined && (head.length === 0 || fits(wrapped))) return wrapped
  return rows.flatMap((row) => toBlock(row, head, out))
}

/** The words of the last column continue below it. Undefined if the other columns leave too little room. */
function wrapLast(rows: readonly Row[], columns: number): readonly string[] | undefined {
  const last = Math.max(...rows.map((row) => row.length)) - 1
  const leads = alignColumns(rows.map((row) => row.slice(0, last)))
  const indent = Math.max(...leads.map(widthOf)) + 2
  if (columns - indent < NARROWEST_LAST) return undefined
  return rows.flatMap((row, index) =>
    fill(toVisible(row[last] ?? '', true).split(' '), ' ', columns - indent).map((line, at) => {
      const lead = at === 0 ? (leads[index] ?? '') : ''
      return `${lead}${' '.repeat(indent - widthOf(lead))}${line}`.trimEnd()
    }),
  )
}

/** The first cell, and below it, further in, the other cells with their titles, as many as fit on a line. */
function toBlock([first = '', ...rest]: Row, head: Row, { columns, dim }: Pick<Terminal, 'columns' | 'dim'>): readonly string[] {
  const cells = rest.map((cell) => toVisible(cell, true).trim())
  const facts = cells.flatMap((cell, index) => {
    const title = head[index + 1]?.trim()
    if (cell === '' || cell === '–') return []
    return [title === undefined ? cell : `${dim(title)} ${cell}`]
  })
  const lead = ' '.repeat(first.length - first.trimStart().length + 2)
  const room = columns - lead.length
  const lines = fill(facts, '  ', room).flatMap((line) => {
    const [start = '', ...more] = widthOf(line) <= room ? [line] : fill(line.split(' '), ' ', room - 2)
    return [`${lead}${start}`, ...more.map((each) => `${lead}  ${each}`)]
  })
  return first === '' ? lines : [first, ...lines]
}

/** Joins as many parts as fit into each line. A longer part has a line of its own. */
function fill(parts: readonly string[], separator: string, columns: number): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const longer = `${lines.at(-1) ?? ''}${separator}${part}`
    if (lines.length > 0 && widthOf(longer) <= columns) lines[lines.length - 1] = longer
    else lines.push(part)
  }
  return lines
}
