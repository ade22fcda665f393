import { parseAnsi } from './ansi.ts'
import styles from './ansi-text.module.css'

/** A line of a program in the colours that it printed, as text. */
export function AnsiText({ text }: { readonly text: string }) {
  return parseAnsi(text).map(({ text: piece, colour, ...weights }, index) => (
    <span
      // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
      key={index}
      className={styles.piece}
      data-colour={colour}
      data-bold={weights.isBold}
      data-dim={weights.isDim}
      data-italic={weights.isItalic}
    >
      {piece}
    </span>
  ))
}
