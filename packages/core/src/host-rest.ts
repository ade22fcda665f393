// A host that fails starts through its own fault rests, with the same pauses as failed endpoints. The endpoint is not delayed: its worker starts on
// another host. Starts that fail together, or while the host rests, are one round. A successful start ends the rest.
import type { HostRest } from '@runyard/schema'
import { pauseAfterMs } from './backoff.ts'

export interface HostFault {
  readonly what: HostRest['what']
  readonly at: number
  /** One sentence. */
  readonly message: string
}

export function restAfter(previous: HostRest | undefined, { what, at, message }: HostFault): HostRest {
  const isSameRound = previous !== undefined && at < restsUntil(previous)
  const worst = previous?.what === 'host' && isSameRound ? 'host' : what
  if (isSameRound) return { ...previous, what: worst, message }
  return { what, count: (previous?.count ?? 0) + 1, lastAt: at, message }
}

/** Epoch ms. */
export function restsUntil({ count, lastAt }: HostRest): number {
  return lastAt + pauseAfterMs(count)
}

/** True if the successful start of this worker shows that the host works again. */
export function endsRest({ what }: HostRest, worker: { readonly gpus: readonly { readonly simulated: boolean }[] }): boolean {
  return what === 'host' || worker.gpus.some(({ simulated }) => !simulated)
}
