// `--watch`: runs a list again and again. On a terminal the list redraws itself; elsewhere, and with `--json`, only lines that are new are printed,
// one for each row that changed. Ends by Ctrl-C.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import { CHANGE_TIMES, followChanges } from './changes.ts'
import type { CommandContext } from './command.ts'
import { redirect, type Terminal } from './output/terminal.ts'
import { toVisible, widthOf } from './output/visible.ts'
import { findClient } from './settings.ts'
import { listenForStop } from './stop-signals.ts'

const LOOK_EVERY_MS = 2000

interface Watched {
  readonly run: (context: CommandContext) => Promise<number>
  /** Whether the gateway reports changes. */
  readonly isLive: boolean
}

export async function watch(context: CommandContext, { run, isLive }: Watched): Promise<number> {
  const { out } = context
  const isForPrograms = context.options['json'] === true
  const show = out.isTty && !isForPrograms ? createRedraw(out) : createAppend(out)
  const form = isForPrograms && out.form === 'json' ? 'jsonl' : out.form
  using signals = listenForStop(out)
  const next = await openNext(context, { isLive, signal: signals.polite })
  while (!signals.polite.aborted) {
    let text = ''
    const write = (part: string): void => {
      text += part
    }
    const line = (part = ''): void => write(`${toVisible(part, true)}\n`)
    try {
      await run({ ...context, out: redirect(out, { write, line, ...(form !== undefined && { form }) }) })
      show(text.split('\n').slice(0, -1))
    } catch (error) {
      if (!(error instanceof RunyardError) || error.code !== 'store_unavailable') throw error
      show([out.bad(error.message)])
    }
    await next()
  }
  return 0
}

/** Waits until it is time for another look. */
async function openNext(
  context: CommandContext,
  { isLive, signal }: { isLive: boolean; signal: AbortSignal },
): Promise<() => Promise<void>> {
  if (!isLive) return () => sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  const changes = followChanges(await findClient(context), CHANGE_TIMES, signal)
  return () => changes.next()
}

/** Moves up by the rows that the former lines take now, and draws over them. What does not fit on the screen is counted. */
function createRedraw(out: Terminal): (lines: readonly string[]) => void {
  let drawn: readonly string[] = []
  return (lines) => {
    const most = Math.max(2, out.rows - 1)
    const shown = lines.length <= most ? lines : [...lines.slice(0, most - 1), out.dim(`… and ${lines.length - most + 1} more lines`)]
    const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / out.columns)), 0)
    const up = height === 0 ? '' : `\r\u001B[${height}A\u001B[J`
    out.write(`${up}\u001B[?7l${shown.map((line) => `${line}\n`).join('')}\u001B[?7h`)
    drawn = shown
  }
}

function createAppend(out: Terminal): (lines: readonly string[]) => void {
  let before: readonly string[] = []
  return (lines) => {
    for (const line of lines.filter((each) => !before.includes(each))) out.write(`${line}\n`)
    before = lines
  }
}
