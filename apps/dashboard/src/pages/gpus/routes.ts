// Addresses of the cards and their hosts. What is chosen is in the search parameters.
import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../../app/lazy-page.ts'
import { rootRoute } from '../../app/root-route.ts'

export const GROUPS = ['host', 'type', 'endpoint'] as const
export type Group = (typeof GROUPS)[number]

export interface GpuSearch {
  /** Absent: by host. */
  readonly group?: Group
  /** Id of an endpoint; absent: all. */
  readonly endpoint?: string
  readonly view?: 'table'
  /** Uuid of the card that is looked at, and the time. */
  readonly gpu?: string
  readonly at?: number
}

export function readGpuSearch(search: Readonly<Record<string, unknown>>): GpuSearch {
  const { endpoint, gpu, view } = search
  const group = GROUPS.find((word) => word === search['group'] && word !== 'host')
  const at = Number(search['at'])
  return {
    ...(group && { group }),
    ...(typeof endpoint === 'string' && endpoint !== '' && { endpoint }),
    ...(view === 'table' && { view }),
    ...(typeof gpu === 'string' && gpu !== '' && { gpu }),
    ...(at > 0 && { at }),
  }
}

const gpusRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/gpus',
  validateSearch: readGpuSearch,
  component: lazyPage(() => import('./gpus-page.tsx'), 'GpusPage'),
})

const cardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/gpus/$uuid',
  validateSearch: readGpuSearch,
  component: lazyPage(() => import('./card-page.tsx'), 'CardPage'),
})

const hostRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/hosts/$id',
  validateSearch: readGpuSearch,
  component: lazyPage(() => import('./host-page.tsx'), 'HostPage'),
})

export const gpuRoutes = [gpusRoute, cardRoute, hostRoute] as const
