// The workers' signs of life. A heartbeat is one command; at most once per 3 s and endpoint it also returns all leases of that endpoint, so that this
// gateway learns what each worker holds, whichever gateway handed it out. These leases may be 3 s old, so a write that follows from them must be fenced.
// The first take or ping means that the worker is ready (worker-api §1): that is written once, also if the two reach two gateways. No request waits for
// this write; if it fails, the next contact tries again. Only pings count as signs of life: a worker that only polled would lose every job that is
// longer than its lease.
import type { WorkerRecord } from '@runyard/schema'
import type { JobStore, Lease } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import type { WorkerAddress, WorkerSession } from './worker-session.ts'

const MAX_AGE_MS = 3000

export interface Heard {
  /** Named by the worker, but not its own. */
  readonly notHeld: readonly string[]
  /** Its own, named by it or not. */
  readonly held: readonly Lease[]
}

export type Heartbeats = ReturnType<typeof createHeartbeats>

interface Page {
  readonly readAt: number
  readonly leases: Promise<ReadonlyMap<string, readonly Lease[]>>
}

export function createHeartbeats(jobs: Pick<JobStore, 'heartbeat'>) {
  const pages = new Map<string, Page>()

  function open(endpointId: string, leases: Page['leases']): Page {
    for (const [id, { readAt }] of pages) if (!isFresh(readAt)) pages.delete(id)
    const page = { readAt: Date.now(), leases }
    pages.set(endpointId, page)
    page.leases.catch(() => pages.delete(endpointId))
    return page
  }

  return {
    /** Records that the worker lives and renews the leases of the jobs that it names. @throws RunyardError('store_unavailable') */
    async hear({ endpointId, workerId }: WorkerAddress, jobIds: readonly string[]): Promise<Heard> {
      const known = pages.get(endpointId)
      const fresh = known !== undefined && isFresh(known.readAt) ? known : undefined
      const heartbeat = jobs.heartbeat(endpointId, workerId, { jobIds, withLeases: fresh === undefined })
      const page = fresh ?? open(endpointId, heartbeat.then(byHolder))
      const { notHeld } = await heartbeat
      return { notHeld, held: (await page.leases).get(workerId) ?? [] }
    },
  }
}

function byHolder({ leases = [] }: { readonly leases: readonly Lease[] | undefined }): ReadonlyMap<string, readonly Lease[]> {
  const held = leases.filter(({ workerId }) => workerId !== undefined)
  return Map.groupBy(held, ({ workerId }) => workerId ?? '')
}

function isFresh(readAt: number): boolean {
  return Date.now() - readAt < MAX_AGE_MS
}

export type ContactDeps = Pick<GatewayDeps, 'store' | 'events' | 'history' | 'metrics' | 'log'>

export function noteContact(deps: ContactDeps, session: WorkerSession): void {
  session.welcomeOnce(
    (record) => recordReady(deps, session, record),
    (error) => {
      deps.log.warn({ err: error, workerId: session.workerId }, 'could not record that a worker is ready; its next request tries again')
    },
  )
}

async function recordReady(deps: ContactDeps, session: WorkerSession, record: WorkerRecord): Promise<void> {
  const { endpointId, workerId, sdkVersion } = session
  const at = Date.now()
  const facts = { readyAt: at, lastSeenAt: at, ...(sdkVersion === undefined ? {} : { sdkVersion }) }
  // The ledger first: if this process ends in between, the next contact writes both again, and the same state twice changes nothing.
  await deps.store.ledger.transition({
    workerId,
    endpointId,
    gpuType: record.gpus[0]?.name ?? null,
    gpuCount: record.gpus.length,
    state: 'running',
    at,
  })
  if (!(await deps.store.workers.patch({ endpointId, workerId, fields: facts, unless: 'readyAt' }))) return
  session.learn({ ...record, ...session.record, ...facts })
  deps.events.add({ at, endpointId, kind: 'worker_ready', workerId })
  measureColdStart(deps, record, at)
  deps.log.info({ endpointId, workerId, sdkVersion, startMs: at - record.createdAt }, 'worker ready')
}

function measureColdStart({ metrics }: ContactDeps, { endpointId, createdAt, containerStartedAt }: WorkerRecord, readyAt: number): void {
  metrics.workerStarted(endpointId, 'total', readyAt - createdAt)
  if (containerStartedAt === undefined) return
  metrics.workerStarted(endpointId, 'container', containerStartedAt - createdAt)
  metrics.workerStarted(endpointId, 'ready', readyAt - containerStartedAt)
}
