// Reads the rest of a refused body and throws it away. A client that still writes when the connection closes sees a reset instead of the
// answer, so a 413 would look like an outage. Bounded: who sends without end is cut off all the same.
import type { IncomingMessage } from 'node:http'

const MOST_BYTES = 128 * 1024 * 1024
const LONGEST_MS = 10_000

export async function drainBody(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  let bytes = 0
  const count = (chunk: Buffer): void => {
    bytes += chunk.length
    if (bytes > MOST_BYTES) resolve()
  }
  const timer = setTimeout(resolve, LONGEST_MS)
  const end = (): void => resolve()
  request.on('data', count).once('end', end).once('close', end)
  await promise
  clearTimeout(timer)
  request.off('data', count).off('end', end).off('close', end)
}
