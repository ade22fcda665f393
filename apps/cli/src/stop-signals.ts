// The first Ctrl-C requests a graceful stop, the second an immediate one.
import type { Terminal } from './output/terminal.ts'

export interface StopSignals extends Disposable {
  /** Aborts on the first signal. */
  readonly polite: AbortSignal
  /** Aborts on the second signal. */
  readonly hard: AbortSignal
}

/** `out`: where the prompt then begins on its own line, after the terminal's `^C`. */
export function listenForStop(out?: Pick<Terminal, 'isTty' | 'write'>): StopSignals {
  const polite = new AbortController()
  const hard = new AbortController()
  const onSignal = (): void => {
    if (polite.signal.aborted) hard.abort()
    else {
      if (out?.isTty === true) out.write('\n')
      polite.abort()
    }
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  return {
    polite: polite.signal,
    hard: hard.signal,
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
