// Decides which signals wake the scaler, and how soon. The first job for an endpoint without workers wakes it at once. Jobs for busy workers, or for an
// endpoint at its maximum, must not keep the loop busy (ADR 28). A lost signal costs at most one idle sleep of the loop.
import type { Signal } from '@runyard/schema'

export type Urgency = 'now' | 'soon' | 'later' | 'never'

/** What the last tick saw of the endpoints. */
export interface Known {
  /** Has workers that take jobs. */
  readonly supplied: ReadonlySet<string>
  /** Has as many of those as it may have. */
  readonly full: ReadonlySet<string>
  /** Has jobs that wait: what can be done for them is under way. */
  readonly waiting: ReadonlySet<string>
  /** Has workers that end after their job. */
  readonly draining: ReadonlySet<string>
}

type Rule = Urgency | ((endpointId: string, known: Known) => Urgency)

const RULES = {
  'job-added': urgencyOfJob,
  'requests-changed': urgencyOfJob,
  'job-settled': (endpointId, known) => (known.draining.has(endpointId) ? 'now' : 'later'),
  'queue-purged': 'later',
  'job-stop': 'later',
  'job-chunk': 'never',
  'worker-changed': 'now',
  'worker-logged': 'never',
  'webhook-due': 'never',
  'endpoint-changed': 'now',
  // The scaler itself says so, or reads it in each tick.
  'status-changed': 'never',
  'pool-changed': 'never',
  // A limit of workers may have been raised.
  'keys-changed': 'soon',
  resync: 'now',
} as const satisfies Record<Signal['kind'], Rule>

function urgencyOfJob(endpointId: string, { supplied, full, waiting }: Known): Urgency {
  if (full.has(endpointId)) return 'later'
  return supplied.has(endpointId) || waiting.has(endpointId) ? 'soon' : 'now'
}

export function urgencyOf(signal: Signal, known: Known): Urgency {
  const rule: Rule = RULES[signal.kind]
  return typeof rule === 'string' ? rule : rule('endpointId' in signal ? signal.endpointId : '', known)
}

const DELAY_MS = { now: 0, soon: 100, later: 1000 } as const

/** Wakes coalesce: an earlier one makes the later ones needless. */
export function createWaker(wakeLoop: () => void) {
  let timer: NodeJS.Timeout | undefined
  let dueAt = Infinity
  const fire = (): void => {
    clearTimeout(timer)
    dueAt = Infinity
    wakeLoop()
  }
  return {
    wake(urgency: Urgency) {
      if (urgency === 'never') return
      if (urgency === 'now') return fire()
      const at = Date.now() + DELAY_MS[urgency]
      if (at >= dueAt) return
      clearTimeout(timer)
      dueAt = at
      timer = setTimeout(fire, DELAY_MS[urgency])
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
    },
  }
}
