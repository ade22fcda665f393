// Limits a worker's output with a token bucket of lines and bytes. The excess is counted and reported as one line. An empty bucket stays closed
// until it holds one second's worth again, so that a flood causes one report per second and not one per line. The caller passes the time.

export interface LogPace {
  readonly linesPerS: number
  readonly bytesPerS: number
  readonly burstLines: number
  readonly burstBytes: number
}

export const WORKER_LOG_PACE: LogPace = { linesPerS: 200, bytesPerS: 256 * 1024, burstLines: 1000, burstBytes: 1024 * 1024 }

export type LogGate = ReturnType<typeof createLogGate>

interface Bucket {
  lines: number
  bytes: number
  at: number
  isClosed: boolean
  dropped: { lines: number; bytes: number }
}

export function createLogGate(pace: LogPace = WORKER_LOG_PACE) {
  const bucket: Bucket = {
    lines: pace.burstLines,
    bytes: pace.burstBytes,
    at: Number.NEGATIVE_INFINITY,
    isClosed: false,
    dropped: { lines: 0, bytes: 0 },
  }

  function refill(now: number): void {
    const seconds = Math.max(0, now - bucket.at) / 1000
    // If the clock was set back, continue from the new time.
    bucket.at = now
    bucket.lines = Math.min(pace.burstLines, bucket.lines + seconds * pace.linesPerS)
    bucket.bytes = Math.min(pace.burstBytes, bucket.bytes + seconds * pace.bytesPerS)
    if (bucket.isClosed && bucket.lines >= pace.linesPerS && bucket.bytes >= pace.bytesPerS) bucket.isClosed = false
  }

  /** Counts output dropped for another reason. `lines` 0: more bytes of a line that was already counted. */
  function drop(bytes: number, lines = 1): void {
    bucket.dropped.lines += lines
    bucket.dropped.bytes += bytes
  }

  return {
    drop,
    hasDropped: (): boolean => bucket.dropped.lines > 0,
    /** True if a line of this many bytes may pass. A rejected line is counted. */
    admits(bytes: number, now: number): boolean {
      refill(now)
      if (bucket.lines < 1 || bucket.bytes <= 0) bucket.isClosed = true
      if (bucket.isClosed) {
        drop(bytes)
        return false
      }
      bucket.lines -= 1
      bucket.bytes -= bytes
      return true
    },
    /** Charges further bytes of a line that already passed. */
    charge(bytes: number, now: number) {
      refill(now)
      bucket.bytes -= bytes
    },
    /** One sentence about dropped output, once lines may pass again. `atOnce`: report now, because no output follows. */
    report(now: number, atOnce: boolean = false): string | undefined {
      refill(now)
      const { lines, bytes } = bucket.dropped
      if (lines === 0 || (bucket.isClosed && !atOnce)) return undefined
      bucket.dropped = { lines: 0, bytes: 0 }
      return linesDropped(lines, bytes)
    },
  }
}

export function linesDropped(lines: number, bytes: number): string {
  return `${lines} ${lines === 1 ? 'line' : 'lines'} (${bytes} bytes) dropped`
}
