// What people see: lines on stdout or stderr, colours only on a terminal that wants them, aligned columns.
import { stripVTControlCharacters, styleText } from 'node:util'

export interface Terminal {
  readonly isTty: boolean
  readonly columns: number
  line(text?: string): void
  write(text: string): void
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}

export function createTerminal(stream: NodeJS.WriteStream): Terminal {
  const style = (format: 'bold' | 'dim' | 'green' | 'red') => (text: string) => styleText(format, text, { stream, validateStream: true })
  // A reader that goes away early (`| head`) is no error of ours.
  stream.on('error', () => {})
  return {
    isTty: stream.isTTY,
    get columns() {
      return stream.columns ?? 100
    },
    line: (text = '') => {
      stream.write(`${text}\n`)
    },
    write: (text) => {
      stream.write(text)
    },
    bold: style('bold'),
    dim: style('dim'),
    good: style('green'),
    bad: style('red'),
  }
}

/** Columns padded to their widest cell; the last one is left ragged. */
export function alignColumns(rows: readonly (readonly string[])[], gap = 2): readonly string[] {
  const width = (text: string): number => stripVTControlCharacters(text).length
  const widths: number[] = []
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell))
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell + ' '.repeat((widths[index] ?? 0) - width(cell) + gap)))
      .join('')
      .trimEnd(),
  )
}

/** `12 ms`, `1.4 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
