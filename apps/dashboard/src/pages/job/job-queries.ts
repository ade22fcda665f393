// What the page of a job asks for. Nothing of another job may stand in for it meanwhile.
import { queryOptions } from '@tanstack/react-query'
import type { JobDetailView } from '@runyard/schema/api'
import { gatewayNow } from '../../app/clock.ts'
import { client } from '../../api/client.ts'
import { NOTHING_MEANWHILE } from '../../api/queries.ts'

const LIVE_MS = 5000
const DAY_MS = 24 * 3_600_000
const LINES = 200
const FIRST_BYTES = 4096
export const MOST_BYTES = 8 * 1024 * 1024

export const isLive = (job: Pick<JobDetailView, 'status'> | undefined): boolean =>
  job?.status === 'IN_QUEUE' || job?.status === 'IN_PROGRESS'

export const jobQuery = (id: string) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['job', id],
    queryFn: () => client.history.getJob(id),
    // The live topic reports earlier.
    refetchInterval: ({ state }) => (isLive(state.data) ? LIVE_MS : false),
  })

export const lifeQuery = (workerId: string, isThere: boolean) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['life', workerId],
    queryFn: () => client.history.workerLife(workerId),
    refetchInterval: isThere ? LIVE_MS : false,
  })

export const deliveriesQuery = (endpointId: string) =>
  queryOptions({ ...NOTHING_MEANWHILE, queryKey: ['deliveries', endpointId], queryFn: () => client.webhooks.log(endpointId, 1000) })

/** What jobs of the endpoint usually wait and run: medians of the last day. */
export const usualQuery = (endpointId: string) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['usual', endpointId],
    staleTime: 60_000,
    queryFn: async () => {
      const { points } = await client.history.series({ endpoint: endpointId, from: gatewayNow() - DAY_MS, points: 1 })
      // A day may begin in the middle of a step.
      const point = points.at(-1)
      return { waitMs: point?.waitP50 ?? undefined, runMs: point?.runP50 ?? undefined }
    },
  })

export const linesQuery = (job: Pick<JobDetailView, 'id' | 'status'>) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['lines', job.id],
    queryFn: () => client.history.logs({ job: job.id, source: 'container', limit: LINES }),
    refetchInterval: isLive(job) ? LIVE_MS : false,
  })

export type ValueName = 'input' | 'output'

type Carrier = Pick<JobDetailView, 'id' | 'status' | 'kept'>

/** Is not asked for where it is not kept. */
export const valueQuery = ({ id, kept, status }: Carrier, name: ValueName, isWhole: boolean) =>
  queryOptions({
    ...NOTHING_MEANWHILE,
    queryKey: ['value', id, status, name, isWhole],
    enabled: kept.includes(name),
    queryFn: () => client.history[name === 'input' ? 'jobInput' : 'jobOutput'](id, isWhole ? MOST_BYTES : FIRST_BYTES),
  })

/** Why there is nothing to read, in a sentence. Undefined: there is. */
export function describeAbsent({ kept, status }: Carrier, name: ValueName): string | undefined {
  if (kept.includes(name)) return undefined
  if (name === 'input') {
    const isUseless = status === 'COMPLETED' || status === 'CANCELLED'
    return isUseless
      ? `The input is not kept: it goes when a job is ${status}.`
      : 'The input is not kept any more: it went with the result.'
  }
  if (status === 'IN_PROGRESS') return 'It has reported no progress.'
  return status === 'COMPLETED' ? 'The output is not kept any more: its time is over.' : 'It has no output.'
}
