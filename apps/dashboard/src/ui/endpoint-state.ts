import type { EndpointView, HealthView } from '@runyard/schema/api'
import type { StatusKind } from './status.tsx'

/** What an endpoint does, in one word. */
export function stateOfEndpoint(
  endpoint: Pick<EndpointView, 'workers'>,
  health: HealthView | undefined,
): { readonly kind: StatusKind; readonly word: string } {
  if (health === undefined) return { kind: 'unknown', word: 'asking' }
  const { workers, jobs, reason } = health
  const isThrottled = reason !== undefined || workers.throttled > 0
  if (isThrottled) return { kind: 'throttled', word: 'throttled' }
  if (jobs.inProgress > 0) return { kind: 'running', word: 'running' }
  if (workers.initializing > 0) return { kind: 'starting', word: 'starting' }
  if (workers.unhealthy > 0) return { kind: 'trouble', word: 'unhealthy' }
  if (workers.ready > 0) return { kind: 'idle', word: 'ready' }
  return { kind: 'idle', word: endpoint.workers.max === 0 ? 'paused' : 'scaled to zero' }
}
