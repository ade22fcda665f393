// `runyard run --batch`: one job for each line of a file. Each result is a JSON line on stdout, as soon as it is there.
import type { Client } from '@runyard/client'
import type { EndpointView, JobBody } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { createJobLine } from '../output/job-line.ts'
import { printJson } from '../output/print-json.ts'
import { listenForStop } from '../stop-signals.ts'

/** Jobs that are waited for at once. */
const AT_ONCE = 32
const HOLD_MS = 5000
const INTERRUPTED = 130
const BAR_WIDTH = 24

export interface BatchLine {
  /** In its file, from 1. */
  readonly number: number
  readonly body: JobBody
}

interface Batch {
  readonly client: Client
  readonly endpoint: Pick<EndpointView, 'id'>
  readonly lines: readonly BatchLine[]
}

export async function runBatch({ out, err }: CommandContext, { client, endpoint: { id }, lines }: Batch): Promise<number> {
  using signals = listenForStop()
  const bar = createJobLine(err)
  const counts = { done: 0, failed: 0 }
  let next = 0
  const draw = (): void => bar.say(barOf(counts, lines.length))
  draw()
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, lines.length) }, takeNext))
  bar.end()
  err.line(barOf(counts, lines.length))
  if (signals.polite.aborted) return INTERRUPTED
  return counts.failed === 0 ? 0 : 1

  async function takeNext(): Promise<void> {
    while (next < lines.length && !signals.polite.aborted) {
      const line = lines[next]
      next += 1
      if (line === undefined) return
      const result = await runLine(line.body)
      counts.done += 1
      if (result.status !== 'COMPLETED') counts.failed += 1
      printJson({ write: out.write, form: 'jsonl' }, [{ line: line.number, ...result }])
      draw()
    }
  }

  /** A request that is refused is the result of its line. */
  async function runLine(body: JobBody) {
    try {
      let job = await client.jobs.run(id, body)
      while (job.status === 'IN_QUEUE' || job.status === 'IN_PROGRESS') {
        if (signals.polite.aborted) return await client.jobs.cancel(id, job.id)
        job = await client.jobs.waitFor(id, job.id, HOLD_MS)
      }
      return job
    } catch (error) {
      if (!(error instanceof RunyardError)) throw error
      return { status: 'FAILED', error: error.message }
    }
  }
}

function barOf({ done, failed }: { done: number; failed: number }, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.round((done / total) * BAR_WIDTH)
  const bad = failed === 0 ? '' : `, ${failed} failed`
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}  ${done} of ${total}${bad}`
}
