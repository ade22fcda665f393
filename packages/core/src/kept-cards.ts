// Which cards no further worker with a budget joins, because an endpoint without any worker waits for whole ones (ADR 61). Otherwise a card that others come to
// one after another would never be empty, because a worker yields only after its turn. Failure direction: a card is used by fewer workers for one turn.
import type { Gpu, GpuRequest } from '@runyard/schema'
import { gpuBudgetOf } from './gpu-budget.ts'
import { matchingGpus, modelsOf } from './gpu-fit.ts'
import type { WorkerHolding } from './holdings.ts'
import type { OpenHost } from './placement.ts'
import type { Want } from './plan-growth.ts'
import type { WorkerView } from './worker-view.ts'

export function createCardKeeping(hosts: readonly OpenHost[], wants: readonly Want[]) {
  const hasSharers = wants.some(({ endpoint }) => gpuBudgetOf(endpoint.spec) !== undefined)
  let readyAt: ReadonlyMap<string, number> | undefined
  return {
    /** Holdings that stand for the cards kept for `want`; none unless it waits, has no worker, and needs whole cards that are in use. */
    keepFor(want: Want, holdings: readonly WorkerHolding[]): readonly WorkerHolding[] {
      const { gpu: request } = want.endpoint.spec
      const needsThem = want.share === 0 && Number.isFinite(want.since) && want.refused?.reason === 'gpus_busy'
      if (!hasSharers || !needsThem || request === null || gpuBudgetOf(want.endpoint.spec) !== undefined) return []
      readyAt ??= new Map(wants.flatMap(leavers))
      return soonestEmpty(request, hosts, expectEmpty(holdings, readyAt))
    },
  }
}

function soonestEmpty(request: GpuRequest, hosts: readonly OpenHost[], emptyAt: ReadonlyMap<string, number>): readonly WorkerHolding[] {
  const atOf = ({ uuid }: Gpu): number => emptyAt.get(uuid) ?? 0
  const groups = hosts.flatMap((host) => {
    const cards = matchingGpus(request, undefined, host).filter((gpu) => atOf(gpu) < NEVER)
    const soonestFirst = (gpus: readonly Gpu[]) => gpus.toSorted((a, b) => atOf(a) - atOf(b)).slice(0, request.count)
    return modelsOf(cards, request.count).map((gpus) => ({ hostId: host.hostId, cards: soonestFirst(gpus) }))
  })
  const lastOf = ({ cards }: { readonly cards: readonly Gpu[] }) => Math.max(...cards.map(atOf))
  const [chosen] = groups.toSorted((a, b) => lastOf(a) - lastOf(b))
  if (chosen === undefined) return []
  return [{ workerId: undefined, hostId: chosen.hostId, gpuUuids: chosen.cards.map(({ uuid }) => uuid), cpus: 0, memoryBytes: 0 }]
}

/** A card that holds a worker which does not leave by itself. */
const NEVER = Infinity
/** A worker that has only begun: after all that are ready. */
const LAST = Number.MAX_SAFE_INTEGER

/** By uuid, since when the newest worker of a card has been ready (`readyAt`: by worker), which orders cards by the time when all their workers have had their turn. */
function expectEmpty(holdings: readonly WorkerHolding[], readyAt: ReadonlyMap<string | null, number>): ReadonlyMap<string, number> {
  const emptyAt = new Map<string, number>()
  for (const { gpuUuids, workerId } of holdings) {
    const at = workerId === undefined ? LAST : (readyAt.get(workerId) ?? NEVER)
    for (const uuid of gpuUuids) emptyAt.set(uuid, Math.max(at, emptyAt.get(uuid) ?? 0))
  }
  return emptyAt
}

/** Those that may go: leaving ones, and those above the minimum, the ones that have worked longest first. */
function leavers({ workers, endpoint }: Want): readonly (readonly [string, number])[] {
  const living = workers.filter(({ fate }) => fate.kind !== 'dead')
  const [leaving, staying] = [living.filter(isLeaving), living.filter((worker) => !isLeaving(worker))]
  const readyAtOf = ({ record }: WorkerView): number => record.readyAt ?? LAST
  const oldestFirst = staying.toSorted((a, b) => readyAtOf(a) - readyAtOf(b))
  const going = oldestFirst.slice(0, Math.max(0, staying.length - endpoint.settings.workersMin))
  return [...leaving.map(({ record }) => [record.id, 0] as const), ...going.map((worker) => [worker.record.id, readyAtOf(worker)] as const)]
}

const isLeaving = ({ phase }: WorkerView): boolean => phase === 'draining'
