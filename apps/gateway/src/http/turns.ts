// Turns of the event loop, one at a time for all large bodies together, whether they are read, thrown away, joined or scanned: however many there are,
// they do not keep the thread from other requests.
import type { Readable } from 'node:stream'

/** About a tenth of a millisecond to read or copy. */
const PACED_BYTES = 256 * 1024

/** The thread's own: all bodies share it. */
const waiting: (() => void)[] = []

/** Resolves in a turn of the event loop that no other caller gets. */
export async function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (waiting.push(resolve) === 1) setImmediate(takeTurns)
  await promise
}

function takeTurns(): void {
  waiting[0]?.()
  waiting.shift()
  if (waiting.length > 0) setImmediate(takeTurns)
}

/** Without one, Node reads up to 2 MiB of one socket before it looks at the next. */
export function createPace(stream: Readable) {
  let left = PACED_BYTES
  let isOver = false
  const goOn = (): void => {
    if (!isOver) stream.resume()
  }
  return {
    /** Call it for each chunk that was read: after some of them the stream waits for a turn. */
    took(bytes: number) {
      left -= bytes
      if (left > 0 || isOver) return
      left = PACED_BYTES
      stream.pause()
      void nextTurn().then(goOn)
    },
    /** Stops pacing the stream. */
    end() {
      isOver = true
    },
  }
}
