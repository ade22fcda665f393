// Makes foreign text safe for the operator's terminal: names, log lines, errors. Control characters could move the cursor, forge rows, set the
// title or the clipboard, and bidirectional overrides could reorder words. They are shown as pictures instead.

// C0 except the tab, DEL, C1, line separators, and characters that change the direction of text.
// eslint-disable-next-line no-control-regex -- these are what it is for
const HIDDEN = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu
/** The escape sequences of `Terminal`'s own styles: bold, dim, green, yellow, red and their ends. */
// eslint-disable-next-line no-control-regex -- a style begins with one
const OWN_STYLE = /(\u001B\[(?:1|2|22|31|32|33|39)m)/gu
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u
const WITHOUT_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u

/** One line without effects: `\u001B` becomes `␛`, a line feed `␊`, a C1 character or an override `⟨9b⟩`. Our own styles stay where `keepStyles`. */
export function toVisible(text: string, keepStyles: boolean): string {
  if (!keepStyles) return text.replaceAll(HIDDEN, toPicture)
  // Split with a group: every other part is a style.
  return text
    .split(OWN_STYLE)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(HIDDEN, toPicture)))
    .join('')
}

function toPicture(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x24_00 + code)
  return code === 0x7f ? '␡' : `⟨${code.toString(16)}⟩`
}

/** Number of columns of the text on a terminal, without styles. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text.replaceAll(OWN_STYLE, '')) width += widthOfCharacter(character)
  return width
}

function widthOfCharacter(character: string): number {
  if (WITHOUT_WIDTH.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** Cuts the text at its end to a number of columns. Plain text only. */
export function cutEnd(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : `${firstColumns(charactersOf(text), columns - 1)}…`
}

/** Cuts in the middle, because similar names differ at both ends. Plain text only. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  const characters = charactersOf(text)
  const tail = firstColumns(characters.toReversed(), Math.floor((columns - 1) / 2))
  return `${firstColumns(characters, Math.ceil((columns - 1) / 2))}…${charactersOf(tail).toReversed().join('')}`
}

/** Code points: a terminal counts columns by them. */
function charactersOf(text: string): readonly string[] {
  return Array.from(text)
}

function firstColumns(characters: readonly string[], columns: number): string {
  let left = columns
  let taken = ''
  for (const character of characters) {
    left -= widthOfCharacter(character)
    if (left < 0) break
    taken += character
  }
  return taken
}

/** Wraps between words into at most `most` lines; the last one is cut. Plain text only. */
export function wrap(text: string, { columns, most }: { columns: number; most: number }): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    const longer = last === undefined ? word : `${last} ${word}`
    if (last !== undefined && (widthOf(longer) <= columns || lines.length === most)) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.map((line) => cutEnd(line, columns))
}
