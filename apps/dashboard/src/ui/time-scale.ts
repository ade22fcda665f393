// Where moments of a waterfall stand. A job may wait an hour and run a second, so its wait can have a scale of its own: a fifth of the width.

export interface Span {
  /** Epoch ms. */
  readonly from: number
  /** Absent: it still goes on. */
  readonly to?: number | undefined
}

export interface ScaledStep extends Span {
  /** Nothing runs for it yet. */
  readonly isWait: boolean
}

export type TimeScale = ReturnType<typeof toScale>

const WAIT_SHARE = 20
/** A wait that takes less of the width than this needs no scale of its own. */
const LEAST_FOLDED = 0.3

/** The end of the steps at the beginning in which nothing runs. */
function endOfWait(steps: readonly ScaledStep[], now: number): number | undefined {
  const first = steps.findIndex(({ isWait }) => !isWait)
  const waits = first === -1 ? [] : steps.slice(0, first)
  return waits.length === 0 ? undefined : Math.max(...waits.map(({ to = now }) => to))
}

/** Whether its wait would drown the rest. */
export function isDrowned(steps: readonly ScaledStep[], now: number): boolean {
  const end = endOfWait(steps, now)
  const { from, to } = boundsOf(steps, now)
  return end !== undefined && end < to && (end - from) / (to - from) > LEAST_FOLDED
}

function boundsOf(steps: readonly ScaledStep[], now: number): { readonly from: number; readonly to: number } {
  const from = Math.min(...steps.map((step) => step.from))
  return { from, to: Math.max(from + 1, ...steps.map(({ to = now }) => to)) }
}

/** Steps in the order of time. */
export function toScale(steps: readonly ScaledStep[], now: number, isFolded: boolean) {
  const { from, to } = boundsOf(steps, now)
  const end = isFolded ? endOfWait(steps, now) : undefined
  /** Where the wait ends and the other scale begins; undefined: there is one scale. */
  const breakAt = end !== undefined && end > from && end < to ? end : undefined
  const clamp = (percent: number): number => Math.min(100, Math.max(0, percent))
  /** 0 to 100. */
  const percentOf = (at: number): number => {
    if (breakAt === undefined) return clamp((100 * (at - from)) / (to - from))
    if (at <= breakAt) return clamp((WAIT_SHARE * (at - from)) / (breakAt - from))
    return clamp(WAIT_SHARE + ((100 - WAIT_SHARE) * (at - breakAt)) / (to - breakAt))
  }
  return { from, to, breakAt, percentOf }
}
