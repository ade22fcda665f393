// Why something waits, from top to bottom: each rung is true, or the place where it stops.
import type { ReactNode } from 'react'
import styles from './ladder.module.css'

const RUNGS = {
  done: { shape: '✓', word: 'done' },
  stopped: { shape: '✕', word: 'stops here' },
  going: { shape: '◐', word: 'in progress' },
  later: { shape: '○', word: 'not reached' },
  note: { shape: '·', word: '' },
} as const
export type RungState = keyof typeof RUNGS

export interface RungProps {
  readonly state: RungState
  readonly title: ReactNode
  readonly children?: ReactNode
}

/** `label`: what the rungs lead to. */
export function Ladder({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <ol className={styles.ladder} aria-label={label}>
      {children}
    </ol>
  )
}

export function Rung({ state, title, children }: RungProps) {
  const { shape, word } = RUNGS[state]
  return (
    <li className={styles.rung} data-state={state}>
      <span className={styles.shape} aria-hidden>
        {shape}
      </span>
      <div className={styles.body}>
        <div className={styles.title}>
          {title}
          {word !== '' && <span className="visually-hidden"> ({word})</span>}
        </div>
        {children}
      </div>
    </li>
  )
}
