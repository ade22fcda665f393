// Removes the remains of a dead worker, in an order that can be interrupted and repeated at any step: container, ledger, record last. Its leases
// were taken back before, with the evidence that is read here.
import { describeExit, endedAttempts, withReadTimes, type LastWords } from '@runyard/core'
import { REASONS, WorkerLife, type Reason, type WorkerExit, type WorkerRecord } from '@runyard/schema'
import { hostOf, recordTransition, type ActDeps } from './act-deps.ts'

const EVIDENCE_LINES = 20
const EVIDENCE_WITHIN_MS = 500

const EVENTS_READ = 300

interface SeenWorker {
  readonly endpointId: string
  readonly hostId: string
  readonly workerId: string
}

/** How the worker ended, as far as its host knows. Never rejects and is quick, because a job waits for it. */
export async function readLastWords(deps: ActDeps, worker: SeenWorker): Promise<LastWords | undefined> {
  const { hostId, workerId } = worker
  const host = hostOf(deps, hostId)
  const seen = host?.view(Date.now()).workers?.find((candidate) => candidate.workerId === workerId)
  if (host === undefined || seen === undefined) return undefined
  const [tail = [], read = [], jobs] = await Promise.all([
    within(EVIDENCE_WITHIN_MS, host.driver.tailLogs(workerId, EVIDENCE_LINES)),
    within(EVIDENCE_WITHIN_MS, deps.store.workerLogs.read(workerId, 'container', 2 * EVIDENCE_LINES)),
    within(EVIDENCE_WITHIN_MS, jobsOf(deps, worker)),
  ])
  const streams = Object.values(Object.groupBy(tail, ({ source }) => source))
  const lines = streams.flatMap((stream) => withReadTimes(stream, read)).toSorted((a, b) => a.at - b.at)
  const { at, exitCode, oomKilled } = seen.exit ?? { at: Date.now(), exitCode: null, oomKilled: false }
  const exit = { at, exitCode, oomKilled, lastLogLines: tail.map(({ line }) => line) }
  return jobs === undefined ? { exit, lines: [], spans: [], lastJobEndedAt: undefined } : { exit, lines, ...jobs }
}

/**
 * When it had which jobs, before any of them is taken back; undefined where that is not known. Leases come first, so a job that ends meanwhile counts as
 * held. Events are not complete: they add attempts that ended without a result.
 */
async function jobsOf(
  { store }: ActDeps,
  { endpointId, workerId }: SeenWorker,
): Promise<Pick<LastWords, 'spans' | 'lastJobEndedAt'> | undefined> {
  const leases = await store.jobs.leases(endpointId)
  const [record, events] = await Promise.all([store.workers.get(endpointId, workerId), store.events.list(endpointId, EVENTS_READ, 'jobs')])
  if (record === undefined) return undefined
  const held = leases.map(({ jobId, workerId: holder, startedAt }) => ({ jobId, workerId: holder, from: startedAt, to: Infinity }))
  const spans = [...held, ...endedAttempts(events)].filter((span) => span.workerId === workerId)
  return { spans, lastJobEndedAt: record.lastJobEndedAt }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  try {
    return await Promise.race([work.catch(() => undefined), promise])
  } finally {
    clearTimeout(timer)
  }
}

export interface End {
  readonly reason: Reason
  readonly exit: WorkerExit | undefined
  /** A sentence that explains more than the exit. */
  readonly message?: string
  readonly isStartFailure: boolean
}

export async function clearAway(deps: ActDeps, record: WorkerRecord, end: End): Promise<void> {
  const { id: workerId, endpointId, hostId } = record
  const at = end.exit?.at ?? Date.now()
  const message = end.message ?? sentenceAbout(record, end) + xidBefore(deps, record, end)
  if (end.isStartFailure) noteFailure(deps, record, { reason: end.reason, message })
  await deps.logs.finish(workerId)
  const host = hostOf(deps, hostId)
  // A host that was given up is not waited for: what is left there has no record and is reaped when the host returns.
  const isAway = host?.view(Date.now()).workers === undefined
  if (!isAway) await deps.gate(deps.memory.limitOf(record), async () => host?.driver.removeWorker(workerId))
  await deps.store.ledger.close(workerId, at, end.reason)
  // Before the record goes: after a crash between the two it is written again.
  await keepLife(deps, record, { ...end, at, message })
  await deps.store.workers.remove(endpointId, workerId, end.exit)
  deps.store.publish({ kind: 'worker-changed', endpointId, workerId })
  deps.numbers.workerGone(endpointId, end)
  await recordTransition(deps, {
    kind: 'worker_gone',
    endpointId,
    workerId,
    hostId,
    at,
    reason: end.reason,
    message,
    system: 'remove container',
    facts: factsAbout(record, end, at),
  })
  if (!isAway) await Promise.all([host?.refresh(), host?.refreshInventory()])
}

const LIFE_MESSAGE = 500

/** The history is for readers: what cannot be written is logged and does not stop the work. */
async function keepLife(deps: ActDeps, record: WorkerRecord, end: End & { readonly at: number; readonly message: string }): Promise<void> {
  const { id, hostId, endpointId } = record
  if (!deps.store.history.isKept) return
  try {
    const endpointName = (await deps.store.endpoints.get(endpointId).catch(() => undefined))?.name
    const { at: goneAt, reason: endReason, message, exit } = end
    const host = hostOf(deps, hostId)?.driver.label ?? hostId
    const known = { ...record, host, endpointName, goneAt, endReason, exitCode: exit?.exitCode, oomKilled: exit?.oomKilled }
    const life = WorkerLife.parse({ ...known, message: message.slice(0, LIFE_MESSAGE) })
    await deps.store.history.addLife(id, JSON.stringify(life), goneAt)
  } catch (error) {
    deps.log.warn({ workerId: id, err: error }, 'the life of a worker is not in the history')
  }
}

function noteFailure(
  deps: ActDeps,
  record: WorkerRecord,
  { reason, message }: { readonly reason: Reason; readonly message: string },
): void {
  const { endpointId, specHash, createdAt: workerCreatedAt } = record
  deps.memory.addFailure(endpointId, { specHash, at: Date.now(), workerCreatedAt, reason, message })
}

function factsAbout(record: WorkerRecord, { exit }: End, at: number): Readonly<Record<string, unknown>> {
  return {
    exitCode: exit?.exitCode,
    oomKilled: exit?.oomKilled,
    lifeMs: at - record.createdAt,
    coldStartMs: record.readyAt === undefined ? undefined : record.readyAt - record.createdAt,
  }
}

/** Of a worker that did not leave by plan. */
function xidBefore({ memory }: ActDeps, { id, retireReason }: WorkerRecord, { reason }: End): string {
  const xid = retireReason === reason && reason !== 'card_failed' ? undefined : memory.xidOf(id, Date.now())
  return xid === undefined ? '' : `; before it, ${xid}`
}

function sentenceAbout(record: WorkerRecord, end: End): string {
  const said = record.unhealthyReason === undefined ? '' : `; it said: ${record.unhealthyReason}`
  if (record.retireReason !== end.reason) return describeExit(record.id, end.reason, end.exit) + said
  return `worker ${record.id} retired: ${REASONS[end.reason]}${said}`
}
