import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { Problem } from '../ui/problem.tsx'

/** In place of a page that could not be drawn. Another try also loads files that did not come. */
export function FaultPage({ error }: ErrorComponentProps) {
  const router = useRouter()
  return <Problem error={error instanceof Error ? error : new Error(String(error))} onRetry={() => void router.invalidate()} />
}
