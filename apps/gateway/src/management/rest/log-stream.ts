// One follower of a worker's log. A look costs what is new; the store's signal wakes it, and a slow look makes good for signals that are lost.
// It ends with the client, the gateway, its key, a reader that does not read, and with the worker, once everything of it is delivered.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { toTimestamp } from '@runyard/core'
import type { LogEventView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { Ticket } from '../../parts/waiters.ts'

/** The client gives a silent stream up after 60 s. */
const HEARTBEAT_MS = 10_000
/** Longer than two heartbeats, so that the mark stands while somebody follows. */
const ANNOUNCED_MS = 3 * HEARTBEAT_MS
/** The last lines of a worker are written after its record is gone. */
const LAST_LINES_MS = 2000
/** Half-open connections end by this, too. */
const READ_WITHIN_MS = 30_000

export interface LogStream {
  readonly response: ServerResponse
  readonly endpointId: string
  readonly workerId: string
  readonly source: 'container' | 'system'
  readonly signal: AbortSignal
  readonly ticket: Ticket
  /** False once the key has expired; one that is revoked cuts its requests (`open-requests.ts`). */
  readonly isAllowed: () => Promise<boolean>
  readonly store: Pick<Store, 'workers' | 'workerLogs'>
}

export interface LogStart {
  /** Lines of the backlog; with `from` all that are behind it. */
  readonly tail: number
  /** Behind this line. */
  readonly cursor: LogCursor | undefined
  /** From this time on. */
  readonly sinceMs: number | undefined
}

interface Position {
  cursor: LogCursor | undefined
  writtenAt: number
  goneAt: number | undefined
}

export async function followLog(stream: LogStream, start: LogStart): Promise<void> {
  const position: Position = { cursor: start.cursor, writtenAt: Date.now(), goneAt: undefined }
  for (let first = true; !stream.signal.aborted; first = false) {
    const ending = await look(stream, position, first ? start : undefined)
    if (ending !== undefined) return endWith(stream.response, ending)
    await stream.ticket.next(position.goneAt === undefined ? position.writtenAt + HEARTBEAT_MS : Date.now() + LAST_LINES_MS)
  }
}

/** One sentence when the stream is over. A store that is away only delays it. */
async function look(stream: LogStream, position: Position, start: LogStart | undefined): Promise<string | undefined> {
  try {
    if (!(await stream.isAllowed())) return 'the API key is no longer valid'
    if (await isOver(stream, position)) return 'the worker is gone, and this was all'
    const frames = framesOf(stream, await readNew(stream, position, start))
    if (frames === '' && Date.now() - position.writtenAt < HEARTBEAT_MS) return undefined
    position.writtenAt = Date.now()
    const isTaken = await write(stream, frames === '' ? ': waiting for output\n\n' : frames)
    return isTaken ? undefined : 'the reader is too slow; resume behind the last id'
  } catch {
    // Not before the next heartbeat: the store is asked by many.
    position.writtenAt = Date.now()
    return undefined
  }
}

/** Asked before the lines are read: what a worker wrote before it was seen gone is then delivered. */
async function isOver({ store, endpointId, workerId }: LogStream, position: Position): Promise<boolean> {
  if (position.goneAt !== undefined) return Date.now() - position.goneAt >= LAST_LINES_MS
  if ((await store.workers.get(endpointId, workerId)) === undefined) position.goneAt = Date.now()
  return false
}

async function readNew(stream: LogStream, position: Position, start: LogStart | undefined): Promise<readonly LoggedLine[]> {
  const { store, workerId, source } = stream
  await store.workerLogs.follow(workerId, ANNOUNCED_MS)
  const { cursor } = position
  const { ever, lines } = await store.workerLogs.readAfter(workerId, source, cursor?.number)
  const fresh = cursor === undefined ? backlogOf(lines, start) : linesAfter(lines, ever, cursor)
  const last = lines.at(-1)
  if (last !== undefined) position.cursor = cursorOf(last)
  else position.cursor ??= { at: 0, number: ever }
  return fresh
}

function backlogOf(lines: readonly LoggedLine[], start: LogStart | undefined): readonly LoggedLine[] {
  const since = start?.sinceMs
  if (since !== undefined) return lines.filter(({ at }) => at >= since)
  const tail = start?.tail ?? lines.length
  return tail === 0 ? [] : lines.slice(-tail)
}

function framesOf({ source }: LogStream, lines: readonly LoggedLine[]): string {
  const eventOf = ({ line, at }: LoggedLine): LogEventView => ({ source, line, ts: toTimestamp(at) })
  return lines.map((line) => `id: ${formatCursor(line)}\ndata: ${JSON.stringify(eventOf(line))}\n\n`).join('')
}

/** False when the reader has not taken it within its time. */
async function write({ response, signal }: LogStream, text: string): Promise<boolean> {
  if (response.write(text)) return true
  const limit = AbortSignal.any([signal, AbortSignal.timeout(READ_WITHIN_MS)])
  await once(response, 'drain', { signal: limit }).catch(() => undefined)
  return !response.writableNeedDrain
}

function endWith(response: ServerResponse, why: string): void {
  response.end(`: ${why}\n\n`)
  // Who does not read would hold the connection.
  setTimeout(() => response.destroy(), READ_WITHIN_MS).unref()
}

interface LoggedLine {
  readonly at: number
  readonly line: string
  /** Of all lines that the log ever had, from 1. */
  readonly number: number
}

/**
 * The position of a reader: how many lines it has read, and the time of the last one. Written into the SSE id as `<time>/<number>`; resuming is
 * exclusive (management §3.4). The number finds new lines without a search. The time is used if the log was started again after a loss of Redis.
 */
interface LogCursor {
  readonly at: number
  readonly number: number
}

function cursorOf({ at, number }: LoggedLine): LogCursor {
  return { at, number }
}

/** What of the lines behind the cursor's number is new; `ever`: how many lines there ever were. */
function linesAfter(lines: readonly LoggedLine[], ever: number, cursor: LogCursor): readonly LoggedLine[] {
  return ever >= cursor.number ? lines : lines.filter(({ at }) => at > cursor.at)
}

function formatCursor({ at, number }: LogCursor): string {
  return `${at}/${number}`
}

/** Undefined for an id that we never gave out. */
export function parseCursor(text: string): LogCursor | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,20})?)\/(\d{1,15})$/u.exec(text)
  return match === null ? undefined : { at: Number(match[1]), number: Number(match[2]) }
}
