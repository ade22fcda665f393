// Keeps one command running on a host, such as `nvidia-smi -l`: starts it again when it ends, after growing pauses, and ends it when it says nothing for too
// long. One that does not end even then is left alone, and no second one is started: a driver that hangs in the kernel would hold that one, too.
import { setTimeout as delay } from 'node:timers/promises'
import { errorMessage } from '@runyard/schema'
import type { FollowCommand } from './follow-command.ts'

export interface Supervision {
  readonly follow: FollowCommand
  readonly command: readonly [file: string, ...args: readonly string[]]
  /** It was started, epoch ms. */
  readonly onStart?: (at: number) => void
  /** Returns true if it shows that the command works: the next pause is short again, and silence counts from now. */
  readonly onOutput: (text: string) => boolean
  /** `code`: undefined if there is no such command. `problem`: why it could not be started. Not called for an end that was asked for. */
  readonly onEnd: (end: { readonly code: number | undefined; readonly problem: string | undefined }) => void
  /** It works no more, although it has not ended. Absent: it may be silent. */
  readonly silence?: { readonly afterMs: number; readonly onSilent: () => void }
  readonly pausesMs?: { readonly first: number; readonly last: number; readonly absent: number }
}

export type Supervised = ReturnType<typeof supervise>

const PAUSES_MS = { first: 1000, last: 60_000, absent: 300_000 } as const
/** After SIGKILL. */
const ENDS_WITHIN_MS = 1000

export function supervise(supervision: Supervision) {
  const closing = new AbortController()
  let run = new AbortController()
  const running = keepRunning(supervision, closing.signal, () => {
    run = new AbortController()
    return run
  })
  return {
    /** Ends what runs and starts it again at once. */
    restart: (): void => run.abort('restart'),
    async [Symbol.asyncDispose]() {
      closing.abort()
      run.abort()
      await Promise.race([running, delay(ENDS_WITHIN_MS, undefined, { ref: false })])
    },
  }
}

async function keepRunning(supervision: Supervision, closing: AbortSignal, next: () => AbortController): Promise<void> {
  const { first, last, absent } = supervision.pausesMs ?? PAUSES_MS
  let pauseMs = first
  while (!closing.aborted) {
    const run = next()
    const { worked, code, problem } = await runOnce(supervision, run)
    if (closing.aborted) return
    if (worked) pauseMs = first
    if (run.signal.aborted && run.signal.reason === 'restart') continue
    if (!run.signal.aborted) supervision.onEnd({ code, problem })
    const isAbsent = code === undefined && problem === undefined
    // A restart that is asked for in the pause is the next start.
    await delay(isAbsent ? absent : pauseMs, undefined, { ref: false, signal: closing }).catch(() => undefined)
    pauseMs = Math.min(2 * pauseMs, last)
  }
}

interface Ended {
  readonly worked: boolean
  readonly code: number | undefined
  readonly problem: string | undefined
}

async function runOnce(
  { follow, command: [file, ...args], onStart, onOutput, silence }: Supervision,
  run: AbortController,
): Promise<Ended> {
  let worked = false
  const watch = (): NodeJS.Timeout | undefined => {
    if (silence === undefined) return undefined
    const fire = (): void => {
      silence.onSilent()
      run.abort('silent')
    }
    return setTimeout(fire, silence.afterMs).unref()
  }
  let timer = watch()
  const hear = (text: string): void => {
    if (run.signal.aborted || !onOutput(text)) return
    worked = true
    clearTimeout(timer)
    timer = watch()
  }
  onStart?.(Date.now())
  try {
    return { worked, ...(await follow(file, args, { signal: run.signal, onOutput: hear }).then((code) => ({ code, problem: undefined }))) }
  } catch (error) {
    return { worked, code: 1, problem: errorMessage(error) }
  } finally {
    clearTimeout(timer)
  }
}
