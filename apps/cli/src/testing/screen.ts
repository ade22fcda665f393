// Test fixture: the features of a terminal that the live block uses. Long lines wrap, or are cut while wrapping is off; a narrower screen wraps
// the existing lines again, as current terminals do.
import { widthOf } from '../output/visible.ts'

export interface Screen {
  write(text: string): void
  resize(columns: number): void
  /** All rows that were ever shown. */
  rows(): readonly string[]
}

export function createScreen(columns: number): Screen {
  let rows: string[] = ['']
  let row = 0
  let width = columns
  let wraps = true

  const put = (character: string): void => {
    if (character === '\n') row += 1
    else if (character !== '\r') {
      const isFull = widthOf(rows[row] ?? '') + widthOf(character) > width
      if (isFull && !wraps) return
      if (isFull) row += 1
      rows[row] = (rows[row] ?? '') + character
    }
    rows[row] ??= ''
  }
  const obey = (count: number, command: string): void => {
    if (command === 'A') row = Math.max(0, row - count)
    if (command === 'J') rows = [...rows.slice(0, row), '']
    if (command === 'K') rows[row] = ''
    if (command === 'h' || command === 'l') wraps = command === 'h'
  }
  return {
    write(text) {
      // eslint-disable-next-line no-control-regex -- escape sequences begin with one
      for (const [part, count = '', command] of text.matchAll(/\u001B\[\??(\d*)([A-Za-z])|[^]/gu)) {
        if (command === undefined) put(part)
        else obey(Number(count || 1), command)
      }
    },
    resize(next) {
      width = next
      const pieces = rows.flatMap((line) => line.match(new RegExp(`.{1,${next}}`, 'gu')) ?? [''])
      row = pieces.length - 1
      rows = pieces
    },
    rows: () => rows,
  }
}
