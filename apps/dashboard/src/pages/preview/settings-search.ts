// The settings that are tried, in the address: a link shows the same preview to somebody else.
import type { ScalingSettings } from '@runyard/core/preview'
import type { EndpointView } from '@runyard/schema/api'

export interface PreviewSearch {
  readonly min?: number
  readonly max?: number
  /** Seconds. */
  readonly idle?: number
  /** Seconds of QUEUE_DELAY; excludes `count`. */
  readonly delay?: number
  /** Of REQUEST_COUNT. */
  readonly count?: number
  /** Seconds that a start takes; absent: as it was. */
  readonly cold?: number
  /** Imagined jobs instead of those that there were: per minute, and how many seconds each runs. */
  readonly rate?: number
  readonly run?: number
}

const BOUNDS = {
  min: [0, 1000],
  max: [1, 1000],
  idle: [1, 3600],
  delay: [0.5, 3600],
  count: [1, 1000],
  cold: [0.25, 600],
  rate: [0.1, 120],
  run: [0.1, 600],
} as const satisfies Record<keyof PreviewSearch, readonly [number, number]>

/** Of an address's search parameters; what is no number within its bounds is left out. */
export function readPreviewSearch(search: Readonly<Record<string, unknown>>): PreviewSearch {
  const known = Object.entries(BOUNDS).flatMap(([name, [least, most]]) => {
    const value = search[name]
    return typeof value === 'number' && value >= least && value <= most ? [[name, value] as const] : []
  })
  return Object.fromEntries(known) as PreviewSearch
}

/** As the endpoint is. */
export function settingsOf({ workers, scaling }: Pick<EndpointView, 'workers' | 'scaling'>): ScalingSettings {
  return { workersMin: workers.min, workersMax: workers.max, idleTimeoutMs: 1000 * (workers.idleTimeout ?? 0), scaling }
}

/** As it is tried: what the address says, else as the endpoint is. */
export function triedSettings(current: ScalingSettings, { min, max, idle, delay, count }: PreviewSearch): ScalingSettings {
  const workersMin = min ?? current.workersMin
  const scaling =
    count !== undefined
      ? ({ type: 'REQUEST_COUNT', requestCount: count } as const)
      : delay !== undefined
        ? ({ type: 'QUEUE_DELAY', queueDelay: delay } as const)
        : current.scaling
  return {
    workersMin,
    workersMax: Math.max(1, workersMin, max ?? current.workersMax),
    idleTimeoutMs: idle === undefined ? current.idleTimeoutMs : 1000 * idle,
    scaling,
  }
}

/** What makes the endpoint so. */
export function toChange({ workersMin: min, workersMax: max, idleTimeoutMs, scaling }: ScalingSettings) {
  return { workers: { min, max, idleTimeout: Math.max(1, Math.round(idleTimeoutMs / 1000)) }, scaling }
}
