// The colours that programs print: SGR sequences become pieces of text with a style, and every other escape sequence is left out.

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
export type AnsiColour = (typeof COLOURS)[number]

export interface AnsiPiece {
  readonly text: string
  readonly colour?: AnsiColour
  readonly isBold?: true
  readonly isDim?: true
  readonly isItalic?: true
  readonly isUnderlined?: true
}
type Style = Omit<AnsiPiece, 'text'>

/** CSI sequences, OSC sequences up to their end, and escapes of two characters. */
// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const ESCAPE = /\u001B(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[ -/]*[0-Z\\^-~])/gu
const BRIGHT = 60

/** A program that overwrites its line (a progress bar) shows what it wrote last. */
export function parseAnsi(line: string): readonly AnsiPiece[] {
  const text = lastOverwrite(line)
  const pieces: AnsiPiece[] = []
  let style: Style = {}
  let from = 0
  const push = (to: number): void => {
    if (to > from) pieces.push({ text: text.slice(from, to), ...style })
  }
  for (const match of text.matchAll(ESCAPE)) {
    push(match.index)
    from = match.index + match[0].length
    if (match[2] === 'm') style = applySgr(style, match[1] ?? '')
  }
  push(text.length)
  return pieces
}

/** Without any escape sequence. */
export function stripAnsi(line: string): string {
  return parseAnsi(line)
    .map(({ text }) => text)
    .join('')
}

function lastOverwrite(line: string): string {
  const trimmed = line.replace(/[\r\n]+$/u, '')
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1)
}

const SWITCHES: Readonly<Record<number, (style: Style) => Style>> = {
  0: () => ({}),
  1: (style) => ({ ...style, isBold: true }),
  2: (style) => ({ ...style, isDim: true }),
  3: (style) => ({ ...style, isItalic: true }),
  4: (style) => ({ ...style, isUnderlined: true }),
  22: ({ isBold: _bold, isDim: _dim, ...rest }) => rest,
  23: ({ isItalic: _italic, ...rest }) => rest,
  24: ({ isUnderlined: _underlined, ...rest }) => rest,
  39: withoutColour,
}

function withoutColour({ colour: _colour, ...rest }: Style): Style {
  return rest
}

/** A colour out of 256 or of 16 million: left to the theme, as 39 is. */
const OTHER_PALETTES = /\b([34])8;(?:5;\d*|2;\d*;\d*;\d*)/gu

/** `1;31`; no number is a 0. */
function applySgr(style: Style, parameters: string): Style {
  const codes = parameters.replaceAll(OTHER_PALETTES, '$19').split(';').map(Number)
  let next = style
  for (const code of codes) {
    const colour = COLOURS[code - 30] ?? COLOURS[code - 30 - BRIGHT]
    next = colour === undefined ? (SWITCHES[code]?.(next) ?? next) : { ...next, colour }
  }
  return next
}
