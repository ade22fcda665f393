// Questions and forms over the page, on the browser's own dialog: it keeps the focus inside, gives it back, and Escape closes it.
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Problem } from './problem.tsx'
import styles from './dialog.module.css'

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Is open for as long as it is there. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const found = dialog.current
    found?.showModal()
    return () => found?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <h2 id={titleId}>{title}</h2>
      <div className={styles.content}>{children}</div>
    </dialog>
  )
}

/** The buttons below a dialog's content. */
export function DialogActions({ children }: { readonly children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>
}

export interface ConfirmProps extends DialogProps {
  /** The verb on the button. */
  readonly verb: string
  readonly isPending: boolean
  readonly error: Error | null
  readonly onConfirm: () => void
}

/** Asks before something ends that cannot be brought back. */
export function Confirm({ title, verb, isPending, error, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error && <Problem error={error} />}
      <DialogActions>
        <Button onClick={onClose}>Keep</Button>
        <Button kind="danger" disabled={isPending} onClick={onConfirm}>
          {verb}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
