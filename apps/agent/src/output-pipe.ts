// The one pipe that carries everything user code prints, from whatever process or library. Writes it through to the worker's
// output at once, and keeps what a job printed for its result. Markers in the pipe say "all before this has been read"; they carry
// a secret per supervisor, so user code cannot forge one by accident.
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'

/** What a result carries at most; the worker's log has all of it. */
const CAPTURE_LIMIT_BYTES = 1024 * 1024

export interface OutputPipe extends Disposable {
  /** From now on output belongs to a job. */
  beginCapture(): void
  /** The job's output as text, once `marker` was seen; bounded, because a pipe that is full of nothing must not hold a result. */
  endCapture(marker: string, timeoutMs: number): Promise<string>
}

interface OutputPipeOptions {
  readonly fifoPath: string
  readonly secret: string
  readonly writeThrough: (chunk: Buffer) => void
}

export function openOutputPipe(options: OutputPipeOptions): OutputPipe {
  const socket = new Socket({ fd: openSync(options.fifoPath, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false })
  const capture = createCapture()
  const seen = new Map<string, () => void>()
  const arrived = new Set<string>()
  const split = createMarkerSplitter(options.secret, {
    onText: (text) => {
      options.writeThrough(text)
      capture.add(text)
    },
    onMarker: (marker) => {
      arrived.add(marker)
      seen.get(marker)?.()
    },
  })
  socket.on('data', split)
  socket.on('error', () => undefined)
  return {
    beginCapture() {
      arrived.clear()
      capture.reset()
    },
    async endCapture(marker, timeoutMs) {
      if (!arrived.has(marker)) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs)
          seen.set(marker, () => {
            clearTimeout(timer)
            resolve()
          })
        })
        seen.delete(marker)
      }
      return capture.text()
    },
    [Symbol.dispose]() {
      socket.destroy()
    },
  }
}

interface SplitterEvents {
  readonly onText: (text: Buffer) => void
  readonly onMarker: (marker: string) => void
}

/** Markers are `\0<secret>:<text>\0`. A marker may be cut anywhere by the pipe; what could be the start of one is held back. */
export function createMarkerSplitter(secret: string, events: SplitterEvents): (chunk: Buffer) => void {
  const prefix = Buffer.from(`\0${secret}:`)
  let held = Buffer.alloc(0)
  const emit = (text: Buffer) => {
    if (text.length > 0) events.onText(text)
  }
  return (chunk) => {
    let data = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    held = Buffer.alloc(0)
    for (;;) {
      const start = data.indexOf(prefix)
      if (start < 0) break
      const end = data.indexOf(0, start + prefix.length)
      if (end < 0) {
        emit(data.subarray(0, start))
        held = Buffer.from(data.subarray(start))
        return
      }
      emit(data.subarray(0, start))
      events.onMarker(data.toString('utf8', start + prefix.length, end))
      data = data.subarray(end + 1)
    }
    const cut = partialPrefixStart(data, prefix)
    emit(data.subarray(0, cut))
    held = Buffer.from(data.subarray(cut))
  }
}

/** Where a prefix of `prefix` begins at the very end of `data`, or its length. */
function partialPrefixStart(data: Buffer, prefix: Buffer): number {
  for (let at = Math.max(0, data.length - prefix.length + 1); at < data.length; at += 1) {
    if (data[at] === 0 && prefix.subarray(0, data.length - at).equals(data.subarray(at))) return at
  }
  return data.length
}

function createCapture() {
  let chunks: Buffer[] = []
  let size = 0
  let dropped = false
  return {
    add(chunk: Buffer) {
      chunks.push(chunk)
      size += chunk.length
      for (let first = chunks[0]; first !== undefined && size - first.length >= CAPTURE_LIMIT_BYTES; first = chunks[0]) {
        chunks.shift()
        size -= first.length
        dropped = true
      }
    },
    reset() {
      chunks = []
      size = 0
      dropped = false
    },
    text: () => (dropped ? '[earlier output is in the worker’s log]\n' : '') + Buffer.concat(chunks).toString('utf8'),
  }
}
