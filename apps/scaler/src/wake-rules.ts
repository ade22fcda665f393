// Which signal makes the scaler look again, and how soon. A job for an endpoint without workers must not wait a moment; the stream of
// jobs through busy workers must not make the loop spin. Losing a signal costs at most one idle sleep of the loop.
import type { Signal } from '@runyard/schema'

export type Urgency = 'now' | 'soon' | 'never'

/** `hasSupply`: did the last tick see workers of this endpoint that take jobs? */
export function urgencyOf(signal: Signal, hasSupply: (endpointId: string) => boolean): Urgency {
  switch (signal.kind) {
    case 'job-added':
      return hasSupply(signal.endpointId) ? 'soon' : 'now'
    case 'endpoint-changed':
    case 'worker-changed':
    case 'resync':
      return 'now'
    case 'job-settled':
    case 'job-stop':
      return 'soon'
    case 'job-chunk':
    case 'keys-changed':
      return 'never'
  }
  return 'never'
}

export interface Waker extends Disposable {
  wake(urgency: Urgency): void
}

const SOON_MS = 100

export function createWaker(wakeLoop: () => void): Waker {
  let timer: NodeJS.Timeout | undefined
  return {
    wake(urgency) {
      if (urgency === 'now') wakeLoop()
      if (urgency !== 'soon' || timer !== undefined) return
      timer = setTimeout(() => {
        timer = undefined
        wakeLoop()
      }, SOON_MS)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
    },
  }
}
