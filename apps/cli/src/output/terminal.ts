// Output for users: lines on stdout or stderr, colours only on a terminal that supports them, aligned columns.
import { styleText } from 'node:util'
import { toVisible, widthOf } from './visible.ts'

export interface Terminal {
  readonly isTty: boolean
  readonly columns: number
  readonly rows: number
  /** Prints one line. Control characters in foreign text, including line feeds, are shown as pictures (`visible.ts`). */
  line(text?: string): void
  /** Prints unchanged text: our own escape sequences, and output for programs. */
  write(text: string): void
  /** Active until the returned function is called. */
  onResize(listener: () => void): () => void
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}

export function createTerminal(stream: NodeJS.WriteStream): Terminal {
  const style = (format: 'bold' | 'dim' | 'green' | 'red') => (text: string) => styleText(format, text, { stream, validateStream: true })
  const hasStyles = style('bold')('x') !== 'x'
  // A reader that closes the pipe early (`| head`) is no error.
  stream.on('error', () => {})
  return {
    isTty: stream.isTTY,
    get columns() {
      return stream.columns ?? 100
    },
    get rows() {
      return stream.rows ?? 50
    },
    line: (text = '') => {
      stream.write(`${toVisible(text, hasStyles)}\n`)
    },
    onResize(listener) {
      stream.on('resize', listener)
      return () => stream.off('resize', listener)
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

/** Pads columns to their widest cell, except the last one. A tab in a cell would break the columns. */
export function alignColumns(rows: readonly (readonly string[])[], gap = 2): readonly string[] {
  const visible = rows.map((row) => row.map((cell) => toVisible(cell, true).replaceAll('\t', '␉')))
  const widths: number[] = []
  for (const row of visible) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell))
  return visible.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell) + gap)))
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
