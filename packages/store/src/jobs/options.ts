// The options of a job in BullMQ's hash: what sweeps, webhooks and its end need to know without reading its data.

export interface JobOptions {
  readonly executionTimeoutMs?: number
  /** Workers that had the job in an earlier life (`retry.lua`). */
  readonly notFor?: readonly string[]
}

/** Only this package writes them, so they are trusted. */
export function readOptions(text: string): JobOptions {
  const options: JobOptions = JSON.parse(text)
  return options
}
