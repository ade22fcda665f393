import type { ReactNode } from 'react'
import styles from './tab-links.module.css'
import { useCurrentInSight } from './use-current-in-sight.ts'

/** Parts of a page that have addresses of their own; the links inside are the router's. */
export function TabLinks({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav aria-label={label} className={styles.tabs} ref={useCurrentInSight()}>
      {children}
    </nav>
  )
}
