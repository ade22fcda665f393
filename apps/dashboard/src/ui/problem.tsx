import { Button } from './button.tsx'
import styles from './problem.module.css'

export interface ProblemProps {
  readonly error: Error
  readonly onRetry?: () => void
}

/** The API's own sentence, without the request that the client names before it. */
export const sentenceOf = ({ message }: Error): string => message.replace(/^[A-Z]+ \/\S*: /u, '')

/** What could not be read or done, in the sentence that the gateway gave. */
export function Problem({ error, onRetry }: ProblemProps) {
  return (
    <div className={styles.problem} role="alert">
      <p>
        <span aria-hidden>✕ </span>
        {sentenceOf(error)}
      </p>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}
