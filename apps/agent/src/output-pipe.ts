// Reads the pipe with all output of user code, of every process and library. Copies it to the worker's output at once, and keeps a job's output
// for its result. Markers in the pipe mean "everything before this has been read", or name the owner of the following text
// (runner/runyard_runner/output.py). They contain a secret per supervisor, so user code cannot write one by accident. Processes that a job left
// behind keep their pipe: the child then opens another one for later jobs, and the output of the old pipe goes only to the worker's log.
import { constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
// The whole of core would bring its schemas along: 70 ms of each cold start.
import { createLogGate } from '@runyard/core/log-pace'
import { createLogThrottle } from '@runyard/core/log-throttle'

/** Maximum output in a result. The worker's log has all of it. */
const CAPTURE_LIMIT_BYTES = 1024 * 1024

export type OutputPipe = ReturnType<typeof openOutputPipe>

interface OutputPipeOptions {
  readonly fifoPath: string
  readonly secret: string
  readonly writeThrough: (chunk: Buffer) => void
}

/** How soon dropped output is reported after a flood. */
const REPORT_EVERY_MS = 1000

/**
 * The worker's output on a process host is a file that grows until the host rotates it, so the rate is limited here: the pipe is always read, and
 * output above the rate is dropped and counted. A job's own output is captured before that (`createCapture`).
 */
export function createPacedWriter(writeThrough: (chunk: Buffer) => void) {
  const gate = createLogGate()
  const write = (parts: readonly (Uint8Array | string)[]): void => {
    for (const part of parts)
      writeThrough(typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.byteLength))
  }
  const reporter = createLogThrottle(gate)
  const reports = setInterval(() => write(reporter.report(Date.now())), REPORT_EVERY_MS).unref()
  return {
    /** For one pipe, so that lines of two pipes are not mixed. */
    open() {
      const throttle = createLogThrottle(gate)
      return (text: Buffer): void => write(throttle.push(text, Date.now()))
    },
    [Symbol.dispose]() {
      clearInterval(reports)
      write(reporter.report(Date.now()))
    },
  }
}

export function openOutputPipe(options: OutputPipeOptions) {
  const captures = new Map<string, Capture>()
  const markers = createMarkers()
  const sources = new Set<Source>()
  const writer = createPacedWriter(options.writeThrough)
  const open = (fifoPath: string): Source => {
    const writeThrough = writer.open()
    const source: Source = openSource(fifoPath, options.secret, {
      onText(text, owner) {
        writeThrough(text)
        if (owner !== undefined) captures.get(owner)?.add(text)
        else if (source === current && captures.size === 1) for (const capture of captures.values()) capture.add(text)
      },
      onMarker: (marker) => markers.note(marker),
    })
    sources.add(source)
    void source.ended.then(() => sources.delete(source))
    return source
  }
  const first = open(options.fifoPath)
  let current = first
  return {
    /** Starts the output of this job: while it runs alone, all output without another owner; otherwise, output that names the job. */
    beginCapture(jobId: string) {
      captures.set(jobId, createCapture())
    },
    /** The job's output as text, after `marker` was read. The wait is bounded, so that a lost marker does not block the result. */
    async endCapture(jobId: string, { marker, timeoutMs }: { readonly marker: string; readonly timeoutMs: number }): Promise<string> {
      await markers.wait(marker, timeoutMs)
      // The supervisor's marker arrives in the first pipe. The other pipes have no writer any more.
      if (marker.startsWith('exit:') && current !== first) await withLimit(current.ended, timeoutMs)
      const text = captures.get(jobId)?.text() ?? ''
      captures.delete(jobId)
      return text
    },
    /** The child now writes to this pipe. */
    follow(fifoPath: string) {
      current = open(fifoPath)
      rmSync(fifoPath, { force: true })
    },
    /** A fresh child writes to the first pipe. */
    followFirst() {
      current = first
    },
    [Symbol.dispose]() {
      for (const { socket } of sources) socket.destroy()
      writer[Symbol.dispose]()
    },
  }
}

interface Source {
  readonly socket: Socket
  /** The last writer has closed it. */
  readonly ended: Promise<void>
}

interface SourceEvents {
  /** `owner`: the job that the marker names; '-': no job. */
  readonly onText: (text: Buffer, owner: string | undefined) => void
  readonly onMarker: (marker: string) => void
}

function openSource(fifoPath: string, secret: string, events: SourceEvents): Source {
  const socket = new Socket({ fd: openSync(fifoPath, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false })
  let owner: string | undefined
  const split = createMarkerSplitter(secret, {
    onText: (text) => events.onText(text, owner),
    onMarker(marker) {
      if (marker.startsWith('to:')) owner = marker.slice(3) || undefined
      else events.onMarker(marker)
    },
  })
  socket.on('data', split)
  socket.on('error', () => undefined)
  return { socket, ended: new Promise((resolve) => socket.once('close', () => resolve())) }
}

/** A marker may have arrived before it is awaited. Several jobs of a child await its end, each other marker is awaited once. */
function createMarkers() {
  const arrived = new Set<string>()
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  return {
    note(marker: string) {
      arrived.add(marker)
      waiting.get(marker)?.resolve()
      waiting.delete(marker)
    },
    async wait(marker: string, timeoutMs: number) {
      if (!arrived.has(marker)) {
        const arrival = waiting.get(marker) ?? Promise.withResolvers<void>()
        waiting.set(marker, arrival)
        await withLimit(arrival.promise, timeoutMs)
      }
      if (!marker.startsWith('exit:')) arrived.delete(marker)
    },
  }
}

async function withLimit(promise: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([promise, limit])
  clearTimeout(timer)
}

interface SplitterEvents {
  readonly onText: (text: Buffer) => void
  readonly onMarker: (marker: string) => void
}

/** Markers are `\0<secret>:<text>\0`. The pipe may split a marker, so a possible start of one is held back. */
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

type Capture = ReturnType<typeof createCapture>

function createCapture() {
  const chunks: Buffer[] = []
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
    text: (): string => (dropped ? '[earlier output is in the worker’s log]\n' : '') + Buffer.concat(chunks).toString('utf8'),
  }
}
