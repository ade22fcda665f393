// The job that this worker runs: named in pings, stopped through the stop channel. At most one at a time.

export interface CurrentJob {
  /** The signal aborts when the job must be stopped. */
  begin(jobId: string): AbortSignal
  end(jobId: string): void
  /** False if the job is not held. */
  stop(jobId: string): boolean
  ids(): readonly string[]
}

export function createCurrentJob(): CurrentJob {
  const held = new Map<string, AbortController>()
  return {
    begin(jobId) {
      const controller = new AbortController()
      held.set(jobId, controller)
      return controller.signal
    },
    end(jobId) {
      held.delete(jobId)
    },
    stop(jobId) {
      held.get(jobId)?.abort()
      return held.has(jobId)
    },
    ids: () => [...held.keys()],
  }
}
