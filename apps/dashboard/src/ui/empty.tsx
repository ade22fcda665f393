import type { ReactNode } from 'react'
import styles from './empty.module.css'

/** Where nothing is: what would be here, and the one thing to do. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.title}>{title}</p>
      <div className={styles.content}>{children}</div>
    </div>
  )
}
