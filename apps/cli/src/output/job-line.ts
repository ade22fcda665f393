// The progress of jobs, for stderr: on a terminal one line that changes, elsewhere a line for each change.
import { formatDuration } from '@runyard/core/durations'
import type { JobView } from '@runyard/schema/api'
import type { Terminal } from './terminal.ts'
import { cutEnd, toVisible } from './visible.ts'

export type JobLine = ReturnType<typeof createJobLine>

export function createJobLine(err: Terminal) {
  const startedAt = performance.now()
  let shown: string | undefined
  /** Shows any text in its place. */
  const say = (text: string): void => {
    if (!err.isTty && text !== shown) err.line(text)
    if (err.isTty) {
      const age = formatDuration(Math.round((performance.now() - startedAt) / 1000) * 1000)
      err.write(`\r\u001B[K${err.dim(cutEnd(toVisible(`${text}  ${age}`, false), err.columns - 1))}`)
    }
    shown = text
  }
  return {
    show: (job: JobView): void => say(describe(job)),
    say,
    /** Removes the line from a terminal. */
    end() {
      if (err.isTty && shown !== undefined) err.write('\r\u001B[K')
      shown = undefined
    },
  }
}

/** A running job's output is its progress. */
function describe({ id, status, queueMessage, workerId, output, retries = 0 }: JobView): string {
  const progress = output === undefined ? undefined : typeof output === 'string' ? output : JSON.stringify(output)
  const facts = status === 'IN_QUEUE' ? [queueMessage] : [workerId === undefined ? undefined : `on ${workerId}`, progress]
  const again = retries === 0 ? [] : [`attempt ${retries + 1}`]
  return [status, id, ...again, ...facts.filter((fact) => fact !== undefined)].join('  ')
}
