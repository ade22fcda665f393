// Spans of time for people, the same in the command line and on the page. Of its own entry point, so that the page loads nothing else with it.
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** `12 ms`, `1.4 s`, `2 min 5 s`, `3 h 4 min`, `5 d 6 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const hours = Math.round(minutes / 60)
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** One unit is enough for an age: `3 min ago`. */
export function formatAge(ms: number): string {
  if (ms < 0) return `in ${formatDuration(-ms)}`
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1000)} s ago`
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} h ago` : `${Math.floor(ms / DAY_MS)} d ago`
}

interface JobTimes {
  readonly status: string
  readonly submittedAt: number
  readonly startedAt?: number | undefined
  readonly delayMs?: number | undefined
  readonly runMs?: number | undefined
}

/** How long a job waited or has waited until now; `–` where that is not known. Without `now` only what is over is. */
export function formatWait({ status, delayMs, submittedAt }: JobTimes, now: number | undefined): string {
  return formatSpan(delayMs ?? since(status === 'IN_QUEUE' ? submittedAt : undefined, now))
}

/** The same of how long it ran. */
export function formatRun({ status, runMs, startedAt }: JobTimes, now: number | undefined): string {
  return formatSpan(runMs ?? since(status === 'IN_PROGRESS' ? startedAt : undefined, now))
}

const since = (at: number | undefined, now: number | undefined): number | undefined =>
  at === undefined || now === undefined ? undefined : now - at

/** Clocks differ a little. */
const formatSpan = (ms: number | undefined): string => (ms === undefined ? '–' : formatDuration(Math.max(0, ms)))
