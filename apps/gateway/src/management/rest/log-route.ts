// GET …/workers/{workerId}/logs: a worker's output as server-sent events (management §3.4, sdk2-api §3.3). The backlog goes out in one
// burst, then what comes; the stream ends when the client goes or the gateway stops. A store that is away only delays it.
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { z } from 'zod'
import { toTimestamp } from '../../http/timestamp.ts'
import type { ManagementModel } from '../model.ts'
import { IdParams, keyOf } from './conventions.ts'
import type { RestApp } from './conventions.ts'
import { Instant } from './instant.ts'
import { LOG_START, cursorSince, formatCursor, linesAfter, parseCursor } from './log-cursor.ts'
import type { LogCursor } from './log-cursor.ts'

const MAX_TAIL = 5000
const READ_EVERY_MS = 300
/** The client gives a silent stream up after 60 s. */
const HEARTBEAT_MS = 10_000

const LogParams = IdParams.extend({ workerId: z.string() })
const LogQuery = z.object({
  source: z.enum(['container', 'system']).default('container'),
  tail: z.coerce.number().int().min(0).max(MAX_TAIL).default(100),
  since: Instant.optional(),
})

export interface LogRouteDeps {
  readonly model: Pick<ManagementModel, 'get'>
  readonly store: Pick<Store, 'workers' | 'workerLogs'>
}

export function registerLogRoute(app: RestApp, { model, store }: LogRouteDeps): void {
  const stopping = new AbortController()
  app.addHook('preClose', () => stopping.abort())

  app.get('/v2/serverless/:id/workers/:workerId/logs', { schema: { params: LogParams, querystring: LogQuery } }, async (request, reply) => {
    const { id, workerId } = request.params
    await model.get(keyOf(request).ownerId, id)
    if (!(await belongs(store, id, workerId))) throw new RunyardError('not_found', `Worker "${workerId}" was not found.`)
    const { source, tail, since } = request.query
    const resumed = parseCursor(String(request.headers['last-event-id'] ?? ''))
    const from = resumed ?? (since === undefined ? undefined : cursorSince(since))
    reply.hijack()
    const signal = AbortSignal.any([stopping.signal, closeOf(reply.raw)])
    const read = (lines: number) => (lines === 0 ? Promise.resolve([]) : store.workerLogs.read(workerId, source, lines))
    await followLog({ response: openStream(reply.raw), source, read, signal }, { tail: from === undefined ? tail : MAX_TAIL, from })
    reply.raw.end()
  })
}

/** A worker that is gone keeps its lines for a while. */
async function belongs(store: LogRouteDeps['store'], endpointId: string, workerId: string): Promise<boolean> {
  if ((await store.workers.get(endpointId, workerId)) !== undefined) return true
  return (await store.workers.getGone(workerId))?.record.endpointId === endpointId
}

function closeOf(response: ServerResponse): AbortSignal {
  const closed = new AbortController()
  response.once('close', () => closed.abort())
  if (response.destroyed) closed.abort()
  return closed.signal
}

function openStream(response: ServerResponse): ServerResponse {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  return response
}

interface LogStream {
  readonly response: ServerResponse
  readonly source: 'container' | 'system'
  readonly read: (lines: number) => Promise<readonly { at: number; line: string }[]>
  readonly signal: AbortSignal
}

async function followLog(stream: LogStream, start: { tail: number; from: LogCursor | undefined }): Promise<void> {
  let cursor = start.from ?? (start.tail === 0 ? cursorSince(Date.now()) : LOG_START)
  let lines = start.tail
  let lastWriteAt = Date.now()
  while (!stream.signal.aborted) {
    const fresh = linesAfter(await stream.read(lines).catch(() => []), cursor)
    const frames = fresh.map(({ line, cursor: after }) => {
      cursor = after
      const data = JSON.stringify({ source: stream.source, line: line.line, ts: toTimestamp(line.at) })
      return `id: ${formatCursor(after)}\ndata: ${data}\n\n`
    })
    if (frames.length === 0 && Date.now() - lastWriteAt >= HEARTBEAT_MS) frames.push(': waiting for output\n\n')
    if (frames.length > 0) {
      stream.response.write(frames.join(''))
      lastWriteAt = Date.now()
    }
    lines = MAX_TAIL
    await sleep(READ_EVERY_MS, undefined, { signal: stream.signal }).catch(() => undefined)
  }
}
