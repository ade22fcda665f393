// GET /runyard/v1/logs: the latest lines of all workers of a caller, merged; or, as server-sent events, what comes.
import type { MergedLine } from '@runyard/schema/api'
import type { FastifyRequest } from 'fastify'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { loggedWorkers, readLines, sourcesOf, spansOf, spansOfAll, toMerged, type LoggedWorker, type Wanted } from './log-reader.ts'
import { ownEndpoints, type OwnEndpoints } from './own-endpoints.ts'
import { createBell, type EventStream, type Streams } from './stream.ts'

export function registerLogRoutes(app: RestApp, { store, past }: Pick<GatewayDeps, 'store' | 'past'>, streams: Streams): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/logs', async (request, reply) => {
    const { endpoint: word, limit, cursor = Infinity, ...wanted } = request.query
    const own = await ownEndpoints(store, keyOf(request).ownerId, word)
    if (asksForEvents(request)) {
      const from = Number(request.headers['last-event-id'] ?? Number.NaN)
      const start = { limit, after: Number.isNaN(from) ? undefined : from }
      return streams.open(request, reply, (stream) => follow({ store, past, own, wanted, stream }, start))
    }
    const workers = await loggedWorkers({ store, past }, own.asked, wanted)
    const older = (await readLines(store, workers, wanted)).filter(({ at }) => at < cursor)
    const lines = older.slice(-limit)
    return { lines, nextCursor: older.length > lines.length ? (lines[0]?.at ?? null) : null, workers: workers.length }
  })
}

const asksForEvents = ({ headers }: FastifyRequest): boolean => headers.accept?.includes('text/event-stream') === true

interface Following {
  readonly store: GatewayDeps['store']
  readonly past: GatewayDeps['past']
  readonly own: OwnEndpoints
  readonly wanted: Wanted
  readonly stream: EventStream
}

/** A new line without an announcement waits no longer than this. */
const LOOK_MS = 5000
const LOOK_AT_LEAST_MS = 250
/** Longer than a look, so that the mark stands while somebody follows. */
const ANNOUNCED_MS = 3 * LOOK_MS

async function follow(following: Following, start: { readonly limit: number; readonly after: number | undefined }): Promise<void> {
  const { store, own, stream } = following
  const asked = new Set<string>(own.asked.map(({ id }) => id))
  const bell = createBell(LOOK_AT_LEAST_MS)
  await using _ = store.subscribe((signal) => {
    if (signal.kind === 'worker-logged' || signal.kind === 'resync') bell.ring()
    else if (signal.kind === 'worker-changed' && asked.has(signal.endpointId)) bell.ring()
  })
  const reader = createReader(following)
  const backlog = await reader.next()
  const first = start.after === undefined ? backlog.slice(-start.limit) : backlog.filter(({ at }) => at > (start.after ?? 0))
  for (const line of first) stream.send({ id: String(line.at), text: JSON.stringify(line) })
  while (!stream.signal.aborted) {
    await bell.next(LOOK_MS, stream.signal)
    // Who does not read gets the rest later: the positions stay.
    if (stream.signal.aborted || !stream.isReady()) continue
    for (const line of await reader.next().catch(() => [])) stream.send({ id: String(line.at), text: JSON.stringify(line) })
  }
}

/** What is new of each worker and source since the last look, merged by time. */
function createReader({ store, past, own, wanted }: Following) {
  const positions = new Map<string, number>()

  async function readOne(worker: LoggedWorker, source: MergedLine['source']) {
    const name = `${worker.id} ${source}`
    const { ever, lines } = await store.workerLogs.readAfter(worker.id, source, positions.get(name))
    positions.set(name, lines.at(-1)?.number ?? ever)
    return lines.map(({ at, line }) => ({ worker, source, line: { at, line } }))
  }

  return {
    async next(): Promise<readonly MergedLine[]> {
      const workers = await loggedWorkers({ store, past }, own.asked, wanted)
      // What is new is of attempts that go on; what is kept may be of earlier ones.
      const spansIn = positions.size === 0 ? spansOfAll : spansOf
      await Promise.all(workers.map(({ id }) => store.workerLogs.follow(id, ANNOUNCED_MS)))
      const read = (await Promise.all(workers.flatMap((worker) => sourcesOf(wanted).map((source) => readOne(worker, source))))).flat()
      if (read.length === 0) return []
      const earliest = Math.min(...read.map(({ line }) => line.at))
      const spans = await spansIn(store, [...new Set(read.map(({ worker }) => worker))], earliest)
      const lines = read.flatMap(({ worker, source, line }) => toMerged(line, { worker, source, spans, wanted }) ?? [])
      return lines.toSorted((a, b) => a.at - b.at)
    },
  }
}
