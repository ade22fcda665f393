// Output for users: lines on stdout or stderr, colours where they are wanted, aligned columns.
import { styleText } from 'node:util'
import { toVisible, widthOf } from './visible.ts'

export const COLOR_MODES = ['auto', 'always', 'never'] as const
export type ColorMode = (typeof COLOR_MODES)[number]

/** How data is printed: for people, or for programs. */
export const FORMS = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const
export type Form = (typeof FORMS)[number]

/** How times are printed: see `time.ts`. */
export const TIME_FORMS = ['relative', 'utc', 'local'] as const
export type TimeForm = (typeof TIME_FORMS)[number]

export interface Terminal {
  readonly isTty: boolean
  readonly columns: number
  readonly rows: number
  /** Default: table. */
  readonly form?: Form
  /** Prints one line. Control characters in foreign text, including line feeds, are shown as pictures (`visible.ts`). */
  readonly line: (text?: string) => void
  /** Prints unchanged text: our own escape sequences, and output for programs. */
  readonly write: (text: string) => void
  /** Active until the returned function is called. */
  onResize(listener: () => void): () => void
  setColor(mode: ColorMode): void
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  /** Something waits or is limited. */
  readonly warn: (text: string) => string
  readonly bad: (text: string) => string
}

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red'

export function createTerminal(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  let hasStyles = wantsColor('auto', stream, env)
  const style = (format: Style) => (text: string) => (hasStyles ? styleText(format, text, { validateStream: false }) : text)
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
    setColor(mode) {
      hasStyles = wantsColor(mode, stream, env)
    },
    bold: style('bold'),
    dim: style('dim'),
    good: style('green'),
    warn: style('yellow'),
    bad: style('red'),
  }
}

/** `auto`: NO_COLOR wins over FORCE_COLOR (no-color.org), and a terminal that says `dumb` has no colours. */
function wantsColor(mode: ColorMode, stream: Pick<NodeJS.WriteStream, 'isTTY'>, env: NodeJS.ProcessEnv): boolean {
  if (mode !== 'auto') return mode === 'always'
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY && env['TERM'] !== 'dumb'
}

/** The same terminal, for data in another form. */
export function withForm(out: Terminal, form: Form): Terminal {
  return redirect(out, { form })
}

/** The same terminal with some parts replaced. The size stays live. */
export function redirect(out: Terminal, parts: Partial<Terminal>): Terminal {
  return {
    ...out,
    get columns() {
      return out.columns
    },
    get rows() {
      return out.rows
    },
    ...parts,
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
