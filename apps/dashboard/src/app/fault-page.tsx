import type { ErrorComponentProps } from '@tanstack/react-router'
import { Problem } from '../ui/problem.tsx'

/** In place of a page that could not be drawn. */
export function FaultPage({ error, reset }: ErrorComponentProps) {
  return <Problem error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
}
