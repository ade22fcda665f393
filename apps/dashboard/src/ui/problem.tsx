import { Button } from './button.tsx'
import styles from './problem.module.css'

/** What could not be read or done, in the sentence that the gateway gave. */
export function Problem({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  return (
    <div className={styles.problem} role="alert">
      <p>
        <span aria-hidden>✕ </span>
        {error.message}
      </p>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}
