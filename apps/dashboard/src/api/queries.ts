// What the page asks for, each with its key in the cache. A live topic freshens the answers that it concerns; the others are asked for again at the pace
// that is given here, and only while they are seen.
import { keepPreviousData, MutationCache, QueryCache, QueryClient, queryOptions } from '@tanstack/react-query'
import type { FailureSearch, JobSearch, UsageRange } from '@runyard/client'
import type { KeyView, PoolView, RegistryView, VolumeView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema/errors'
import { client } from './client.ts'

const TRIES = 2
const LOOK_MS = 10_000

/** A refusal stays what it is; what did not answer is asked again. */
const mayPass = (error: Error): boolean => !(error instanceof RunyardError) || error.httpStatus >= 500

/** For what must not stand in for the answer to another question, which is the default. */
export const NOTHING_MEANWHILE = { placeholderData: () => undefined } as const

/** The session may have ended: what shows it looks again. */
function noteRefusal(error: Error): void {
  if (error instanceof RunyardError && error.code === 'unauthorized') void queryClient.invalidateQueries({ queryKey: SESSION_KEY })
}

export const SESSION_KEY = ['session'] as const

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noteRefusal }),
  mutationCache: new MutationCache({ onError: noteRefusal }),
  defaultOptions: {
    queries: {
      retry: (count, error) => count < TRIES && mayPass(error),
      placeholderData: keepPreviousData,
      staleTime: 1000,
    },
  },
})

export const poolQuery = queryOptions({ queryKey: ['pool'], queryFn: () => client.history.pool(), refetchInterval: 3 * LOOK_MS })
const READINGS: ReadonlySet<string> = new Set(['sample', 'seenAt', 'scalerAt'])

/** What of the pool is more than readings, as text to compare: readings change all the time. */
export const shapeOf = (pool: PoolView): string => JSON.stringify(pool, (name, value: unknown) => (READINGS.has(name) ? undefined : value))

export const noticesQuery = queryOptions({ queryKey: ['notices'], queryFn: () => client.notices(), refetchInterval: 12 * LOOK_MS })
export const endpointsQuery = queryOptions({ queryKey: ['endpoints'], queryFn: () => client.listEndpoints(), refetchInterval: LOOK_MS })
export const livenessQuery = queryOptions({ queryKey: ['liveness'], queryFn: () => client.liveness(), refetchInterval: LOOK_MS })

export const healthQuery = (endpointId: string) =>
  queryOptions({ queryKey: ['health', endpointId], queryFn: () => client.jobs.health(endpointId), refetchInterval: LOOK_MS })

export const jobsQuery = (search: JobSearch) =>
  queryOptions({ queryKey: ['jobs', search], queryFn: () => client.history.findJobs(search), refetchInterval: LOOK_MS })

export const usageQuery = (range: UsageRange) =>
  queryOptions({ queryKey: ['usage', range], queryFn: () => client.usage(range), refetchInterval: 6 * LOOK_MS })

export const failuresQuery = (search: FailureSearch) =>
  queryOptions({ queryKey: ['failures', search], queryFn: () => client.history.failures(search), refetchInterval: 3 * LOOK_MS })

export const explainQuery = (id: string) =>
  queryOptions({ queryKey: ['explain', id], queryFn: () => client.explain(id), refetchInterval: LOOK_MS })

/** What endpoints are made with. */
export const registriesQuery = queryOptions<readonly RegistryView[]>({
  queryKey: ['registries'],
  queryFn: () => client.registries.list(),
})
export const volumesQuery = queryOptions<readonly VolumeView[]>({
  queryKey: ['volumes'],
  queryFn: () => client.volumes.list(),
  refetchInterval: 3 * LOOK_MS,
})
export const templatesQuery = queryOptions({ queryKey: ['templates'], queryFn: () => client.listTemplates() })
export const gpuTypesQuery = queryOptions({ queryKey: ['gpu-types'], queryFn: () => client.gpuTypes(), staleTime: Infinity })

export const pricesQuery = queryOptions({ queryKey: ['prices'], queryFn: () => client.prices(), staleTime: 60_000 })

export const keysQuery = queryOptions<readonly KeyView[]>({
  queryKey: ['keys'],
  queryFn: () => client.keys.list(),
  refetchInterval: 3 * LOOK_MS,
})
