// What the pages of endpoints, workers and logs ask for.
import { queryOptions } from '@tanstack/react-query'
import type { WorkerSearch } from '@runyard/client'
import { gatewayNow } from '../app/clock.ts'
import type { Range } from '../app/range.ts'
import { client } from './client.ts'

const LOOK_MS = 10_000

/** Workers that are there, and those that are gone, with the times of their lives. */
export const workersQuery = (search: WorkerSearch) =>
  queryOptions({ queryKey: ['workers', search], queryFn: () => client.history.workers(search), refetchInterval: LOOK_MS })

export const workerQuery = (id: string) =>
  queryOptions({ queryKey: ['worker', id], queryFn: () => client.history.workerLife(id), refetchInterval: LOOK_MS })

/** The workers of an endpoint in Runpod's words, those that are wanted but not there as well. */
export const endpointWorkersQuery = (endpointId: string) =>
  queryOptions({ queryKey: ['endpoint-workers', endpointId], queryFn: () => client.listWorkers(endpointId), refetchInterval: LOOK_MS })

export const releasesQuery = (endpointId: string) =>
  queryOptions({ queryKey: ['releases', endpointId], queryFn: () => client.listReleases(endpointId), refetchInterval: LOOK_MS })

const POINTS = 240

/** Numbers of an endpoint in the range. One that ends now is asked for again as it moves on, under the same name. */
export const seriesQuery = (endpoint: string, { from, to, span }: Range) =>
  queryOptions({
    queryKey: ['series', endpoint, span ?? `${from} ${to}`],
    queryFn: () => {
      const end = span === undefined ? to : gatewayNow()
      return client.history.series({ endpoint, from: end - (to - from), to: end, points: POINTS })
    },
    ...(span !== undefined && { refetchInterval: LOOK_MS }),
  })

/** Workers of an endpoint that were there in the range. */
export const livesQuery = (endpoint: string, { from, to, span }: Range) =>
  queryOptions({
    queryKey: ['lives', endpoint, span ?? `${from} ${to}`],
    queryFn: () => {
      const since = span === undefined ? from : gatewayNow() - (to - from)
      // Only a list that ends now has those that are there.
      return client.history.workers({ endpoint, since, until: span === undefined ? to : undefined, limit: 1000 })
    },
    ...(span !== undefined && { refetchInterval: LOOK_MS }),
  })

export const batchesQuery = (endpointId: string) =>
  queryOptions({ queryKey: ['batches', endpointId], queryFn: () => client.jobs.batches(endpointId), refetchInterval: LOOK_MS })
