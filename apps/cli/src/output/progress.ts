// The set-up, one line per step with its result and duration. On a terminal the line of a running step shows what it is doing; otherwise a step
// is printed once, when it is done, and its intermediate messages only if it takes long.
import { formatDuration } from '@runyard/core/durations'
import type { Terminal } from './terminal.ts'
import { cutEnd, toVisible } from './visible.ts'

export interface Step {
  /** Shows what the step is doing now. */
  note(text: string): void
  done(result: string): void
}

export type Progress = ReturnType<typeof createProgress>

const LABEL_WIDTH = 10
const QUIET_MS = 3000

export function createProgress(out: Terminal) {
  let open: string | undefined

  function draw(text: string): void {
    open = text
    if (out.isTty) out.write(`\r\u001B[K${clip(text, out.columns - 1)}`)
  }
  function settle(text: string): void {
    open = undefined
    if (out.isTty) out.write('\r\u001B[K')
    out.line(text)
  }

  return {
    /** Prints a separate line. */
    say(text: string) {
      const resumed = open
      settle(text)
      if (resumed !== undefined) draw(resumed)
    },
    begin(label: string): Step {
      const startedAt = performance.now()
      let lastTold = startedAt
      const head = `  ${label.padEnd(LABEL_WIDTH)} `
      draw(`${head}…`)
      return {
        note(text) {
          draw(`${head}${text}`)
          if (out.isTty || performance.now() - lastTold < QUIET_MS) return
          lastTold = performance.now()
          out.line(`${head}${text}`)
        },
        done(result) {
          const took = performance.now() - startedAt
          settle(`${head}${result}${took < 100 ? '' : out.dim(`  ${formatDuration(took)}`)}`)
        },
      }
    },
  }
}

function clip(text: string, width: number): string {
  const line = text.replaceAll(/\s+/g, (gap) => (gap.includes('\n') ? ' ' : gap))
  return cutEnd(toVisible(line, false), width)
}
