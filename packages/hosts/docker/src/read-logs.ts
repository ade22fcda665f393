// The output of a container: its last lines, then new ones. A removed container has none.
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '@runyard/schema'
import type Docker from 'dockerode'
import { createLogDecoder } from './container-logs.ts'
import { statusOf } from './docker-errors.ts'

/** A container's output is read at 20 MiB a second at most: a flood waits in the engine's files, which are bounded. */
const READ_AT_ONCE_BYTES = 2 ** 20
const READ_PAUSE_MS = 50

export async function tail(container: Docker.Container, lines: number): Promise<readonly LogLine[]> {
  const decoder = createLogDecoder()
  try {
    const output: unknown = await container.logs({ stdout: true, stderr: true, timestamps: true, tail: lines, follow: false })
    return [...(Buffer.isBuffer(output) ? decoder.push(output) : []), ...decoder.end()]
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw error
  }
}

interface Follow {
  readonly sinceMs: number
  readonly onLine: (line: LogLine) => void
  readonly signal: AbortSignal
}

export async function followLogs(container: Docker.Container, { sinceMs, onLine, signal }: Follow): Promise<void> {
  const decoder = createLogDecoder()
  try {
    const stream = await container.logs({
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: true,
      since: sinceMs / 1000,
      abortSignal: signal,
    })
    let left = READ_AT_ONCE_BYTES
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const line of decoder.push(chunk)) onLine(line)
      left -= chunk.length
      if (left > 0) continue
      await sleep(READ_PAUSE_MS, undefined, { signal })
      left = READ_AT_ONCE_BYTES
    }
    for (const line of decoder.end()) onLine(line)
  } catch (error) {
    if (signal.aborted || statusOf(error) === 404) return
    throw error
  }
}
