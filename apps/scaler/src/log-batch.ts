// Lines of one worker on their way to the store: paced (core `createLogGate`), bounded, in order, at most ten writes a second and one at a
// time. Lines above the rate, and lines that the store cannot take, are dropped; one line reports their number.
import { createLogGate, type TimedLine } from '@runyard/core'

const FLUSH_EVERY_MS = 100
/** Lines that wait while the store does not answer. The gate bounds their bytes. */
const MAX_WAITING = 2000

export function createLogBatch(write: (lines: readonly TimedLine[]) => Promise<void>) {
  const gate = createLogGate()
  let lines: TimedLine[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  function report(atOnce: boolean): void {
    const at = Date.now()
    const line = gate.report(at, atOnce)
    if (line !== undefined) lines.push({ at, line })
    else if (!atOnce && gate.hasDropped()) later()
  }

  function later(): void {
    timer ??= setTimeout(flush, FLUSH_EVERY_MS)
  }

  function flush(): void {
    timer = undefined
    if (writing !== undefined) return later()
    report(false)
    const batch = lines
    lines = []
    if (batch.length === 0) return
    writing = write(batch)
      .catch(() => batch.forEach(({ line }) => gate.drop(Buffer.byteLength(line))))
      .finally(() => {
        writing = undefined
      })
  }

  return {
    push(line: TimedLine) {
      const bytes = Buffer.byteLength(line.line)
      if (lines.length >= MAX_WAITING) gate.drop(bytes)
      else if (gate.admits(bytes, Date.now())) lines.push(line)
      later()
    },
    /** Resolves when everything that was pushed is written or dropped. */
    async close(): Promise<void> {
      await writing
      clearTimeout(timer)
      report(true)
      flush()
      clearTimeout(timer)
      await writing
    },
  }
}
