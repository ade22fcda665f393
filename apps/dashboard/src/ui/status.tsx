// A state has a shape, a word and a colour.
import styles from './status.module.css'

const SHAPES = {
  running: '●',
  idle: '○',
  starting: '◐',
  throttled: '▲',
  trouble: '✕',
  done: '✓',
  ended: '■',
  unknown: '?',
} as const
export type StatusKind = keyof typeof SHAPES

export function Status({ kind, word }: { readonly kind: StatusKind; readonly word: string }) {
  return (
    <span className={styles.status} data-kind={kind}>
      <span aria-hidden>{SHAPES[kind]}</span> {word}
    </span>
  )
}
