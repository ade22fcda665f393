// Addresses of endpoints with their tabs, of workers and of logs.
import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../../app/lazy-page.ts'
import { rootRoute } from '../../app/root-route.ts'
import { readPreviewSearch } from '../preview/settings-search.ts'
import { readLogFilter } from '../../ui/logs/log-filter.ts'

const endpointsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints',
  component: lazyPage(() => import('../endpoints/endpoints-page.tsx'), 'EndpointsPage'),
})

const newEndpointRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints/new',
  component: lazyPage(() => import('../endpoints/new-endpoint-page.tsx'), 'NewEndpointPage'),
})

const endpointRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints/$id',
  component: lazyPage(() => import('./endpoint-page.tsx'), 'EndpointPage'),
})

const under = { getParentRoute: () => endpointRoute }
const tabRoutes = [
  createRoute({ ...under, path: '/', component: lazyPage(() => import('./overview-tab.tsx'), 'OverviewTab') }),
  createRoute({ ...under, path: '/requests', component: lazyPage(() => import('./requests-tab.tsx'), 'RequestsTab') }),
  createRoute({ ...under, path: '/workers', component: lazyPage(() => import('./workers-tab.tsx'), 'WorkersTab') }),
  createRoute({
    ...under,
    path: '/logs',
    validateSearch: readLogFilter,
    component: lazyPage(() => import('./logs-tab.tsx'), 'LogsTab'),
  }),
  createRoute({ ...under, path: '/metrics', component: lazyPage(() => import('./metrics-tab.tsx'), 'MetricsTab') }),
  createRoute({ ...under, path: '/releases', component: lazyPage(() => import('./releases-tab.tsx'), 'ReleasesTab') }),
  createRoute({ ...under, path: '/batches', component: lazyPage(() => import('./batches-tab.tsx'), 'BatchesTab') }),
  createRoute({ ...under, path: '/settings', component: lazyPage(() => import('./settings-tab.tsx'), 'SettingsTab') }),
  createRoute({
    ...under,
    path: '/preview',
    validateSearch: readPreviewSearch,
    component: lazyPage(() => import('../preview/preview-tab.tsx'), 'PreviewTab'),
  }),
] as const

const workerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workers/$id',
  validateSearch: readLogFilter,
  component: lazyPage(() => import('../worker/worker-page.tsx'), 'WorkerPage'),
})

const logsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/logs',
  validateSearch: readLogFilter,
  component: lazyPage(() => import('../logs/logs-page.tsx'), 'LogsPage'),
})

export const endpointRoutes = [endpointsRoute, newEndpointRoute, endpointRoute.addChildren(tabRoutes), workerRoute, logsRoute] as const
