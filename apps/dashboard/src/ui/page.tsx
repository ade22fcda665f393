// The frame that pages and their parts share: a title, what can be done beside it, and the rest below at even distances.
import type { ReactNode } from 'react'
import styles from './page.module.css'

export interface PageProps {
  readonly title: ReactNode
  /** Buttons and choices that concern all of it. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

export function Page({ title, actions, children }: PageProps) {
  return (
    <div className={styles.page}>
      <Head actions={actions}>
        <h1>{title}</h1>
      </Head>
      {children}
    </div>
  )
}

/** A part of a page under a title of its own. `id`: of the title, which names the part. */
export function Part({ id, title, actions, children }: PageProps & { readonly id: string }) {
  return (
    <section className={styles.page} aria-labelledby={id}>
      <Head actions={actions}>
        <h2 id={id}>{title}</h2>
      </Head>
      {children}
    </section>
  )
}

/** Below a title that is elsewhere. */
export function Stack({ children }: { readonly children: ReactNode }) {
  return <div className={styles.page}>{children}</div>
}

/** Buttons beside each other, and what is said about them. */
export function Actions({ children }: Pick<PageProps, 'children'>) {
  return <div className={styles.actions}>{children}</div>
}

function Head({ actions, children }: Pick<PageProps, 'actions' | 'children'>) {
  if (actions === undefined) return children
  return (
    <div className={styles.head}>
      {children}
      <Actions>{actions}</Actions>
    </div>
  )
}
